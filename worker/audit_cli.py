"""`vigil audit`: whether anything is lost, doubled or altered."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from worker.cli_options import WAIT_SECONDS, Wait, settings_with_logging

PERSON_MUST_LOOK = 4


def audit(
    since: Annotated[
        datetime | None, typer.Option(help="From this moment on (UTC); 24 hours before the end if left out.")
    ] = None,
    until: Annotated[datetime | None, typer.Option(help="Up to this moment (UTC); now if left out.")] = None,
    alerts: Annotated[
        Path | None,
        typer.Option(
            help="Also compare this copy of the alerts topic, one record a line as kcat -J writes it. Without --until "
            "it is asked for what was published before it was last written to.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it for programs.")] = False,  # noqa: FBT002
    wait: Wait = WAIT_SECONDS,
) -> None:
    """Compare what came in, what is stored and what was published, with the workers running.

    Exit code 4: something is lost, doubled or altered; a person must look.
    """
    from worker.audit import command  # noqa: PLC0415  `--help` is faster without it

    now = datetime.now(UTC)
    time_range = command.range_of(_utc(since), _utc(until), now)
    settings = settings_with_logging()
    account = asyncio.run(
        command.audit(settings, wait, time_range=time_range, copy=alerts, is_shown=not as_json)
    )
    (command.tell_as_json if as_json else command.tell)(account, time_range, now)
    if not account.is_whole:
        raise typer.Exit(PERSON_MUST_LOOK)


def _utc(moment: datetime | None) -> datetime | None:
    """Typer reads a time without a zone; it is taken as UTC."""
    return None if moment is None else moment.replace(tzinfo=UTC)
