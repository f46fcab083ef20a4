"""`vigil census`: asks, prints, and says by its exit code whether a person must look."""

import asyncio

import typer

from domain.observations import Mode
from worker.app import protocol_of
from worker.census import Source, census_now
from worker.census_told import as_json, tell
from worker.cli_options import console
from worker.errors import UnreachableError
from worker.lanes_cli import PERSON_MUST_LOOK
from worker.settings import Settings


def show_census(
    settings: Settings, *, ward: str | None, mode: Mode | None, is_json: bool, wait: float
) -> int:
    """Print the census; returns the exit code. Raises OperatorError."""
    census = asyncio.run(census_now(settings, protocol_of(settings), ward=ward, mode=mode, wait=wait))
    if is_json:
        typer.echo(as_json(census))
    else:
        tell(census, console())
    if census.source is Source.NONE:
        return UnreachableError.exit_code
    return 0 if census.is_whole else PERSON_MUST_LOOK
