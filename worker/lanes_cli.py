"""`vigil lanes`: how the lanes stand, and the repair of one that has stopped."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import typer

from worker.cli_options import WAIT_SECONDS, Wait, settings_with_logging

PERSON_MUST_LOOK = 4
"""The exit code of a command that did its work and found something that a person must look at."""

app = typer.Typer(
    help="The lanes: how far each is published, and the repair of one that has stopped.", no_args_is_help=True
)


@app.command(
    "status", epilog="Example: [bold]vigil lanes status[/bold] (exit code 4 if a lane needs a repair)"
)
def status(wait: Wait = WAIT_SECONDS) -> None:
    """Show each lane: how often repaired, its last number, its cursor, what waits, whether both fit."""
    from worker.lane_commands import standings, tell_standings  # noqa: PLC0415

    found = asyncio.run(standings(settings_with_logging(), wait))
    tell_standings(found)
    if not all(each.is_sound for each in found):
        raise typer.Exit(PERSON_MUST_LOOK)


@app.command(
    "repair", epilog="Example: [bold]vigil lanes repair 3 --dry-run[/bold], then without; safe to run again"
)
def repair(
    lane: Annotated[
        int, typer.Argument(min=0, help="The lane that a log line or `vigil lanes status` names.")
    ],
    since: Annotated[
        datetime | None,
        typer.Option(
            help="Look only at what was published from this moment on (UTC), which must be before the backup was "
            "taken; all of it if left out, which is always safe."
        ),
    ] = None,
    dry_run: Annotated[  # noqa: FBT002
        bool, typer.Option("--dry-run", help="Tell what would be done, and disturb nobody.")
    ] = False,
    wait: Wait = WAIT_SECONDS,
) -> None:
    """Mend a lane that stopped after a restore or a reset: what is out stays out once, what is not goes out.

    Exit code 4: mended, but something is out that the stored history does not hold (listed).
    """
    from worker.lane_commands import repair_one, tell_repaired  # noqa: PLC0415

    began = None if since is None else since.replace(tzinfo=UTC)
    repaired = asyncio.run(repair_one(settings_with_logging(), wait, lane, since=began, is_dry_run=dry_run))
    if repaired is None:
        typer.echo(f"lane {lane} needs no repair: what it has published and what is stored fit together")
        return
    tell_repaired(repaired, is_dry_run=dry_run)
    if repaired.plan.unexplained:
        raise typer.Exit(PERSON_MUST_LOOK)
