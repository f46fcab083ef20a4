"""`vigil dead-letters`: what could not be used, looked at, taken out, repaired, and sent again."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from worker.cli_options import WAIT_SECONDS, Wait, WaitForDatabase, console, settings_with_logging
from worker.dead_letters.selection import Asked, filter_of
from worker.errors import OperatorError
from worker.messages.refusals import Stage

_MUST_LOOK = 4

app = typer.Typer(
    help="Dead letters: what could not be used, kept byte for byte; look at it, repair it, send it again.",
    no_args_is_help=True,
)

Stages = Annotated[
    list[str] | None,
    typer.Option(
        "--stage", metavar="STAGE", help=f"Only what failed there: {', '.join(Stage)}; may be repeated."
    ),
]
Reasons = Annotated[
    list[str] | None,
    typer.Option(
        "--reason", metavar="REASON", help="Only what failed so, as `list` tells it; may be repeated."
    ),
]
Device = Annotated[str | None, typer.Option(help="Only what this device sent.")]
Partition = Annotated[int | None, typer.Option(min=0, help="Only what came on this partition.")]
Since = Annotated[
    str | None,
    typer.Option(
        help="Only what was received from then on: 2026-11-23T10:15, your own time unless it says Z."
    ),
]
Until = Annotated[str | None, typer.Option(help="Only what was received before.")]
Id = Annotated[
    str | None, typer.Option("--id", help="Only this record: topic/partition/offset, or a correlation id.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Lines of JSON, as when piped.")]


@app.command(
    "list", epilog="Example: [bold]vigil dead-letters list --reason unit_missing --since 2026-11-23[/bold]"
)
def list_letters(  # noqa: PLR0913, PLR0917  as many as there are options
    stage: Stages = None,
    reason: Reasons = None,
    device: Device = None,
    partition: Partition = None,
    since: Since = None,
    until: Until = None,
    letter_id: Id = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 100,
    as_json: AsJson = False,  # noqa: FBT002
    wait: WaitForDatabase = WAIT_SECONDS,
) -> None:
    """List dead letters, the newest first: when, why, from which device; nothing of a patient."""
    from worker.dead_letters import reading, telling  # noqa: PLC0415  `--help` is faster without it

    wanted = filter_of(_asked(stage, reason, device, partition, since, until, letter_id))
    letters = asyncio.run(reading.newest(settings_with_logging(), wait, wanted, limit))
    out = console()
    if as_json or not out.is_terminal:
        _write_json([telling.json_of(letter) for letter in letters])
        return
    out.print(telling.table_of(letters))
    if len(letters) == limit:
        out.print(
            f"There may be more: these are the newest {limit}; --limit, --since and the filters tell others."
        )


@app.command(
    "show", epilog="Example: [bold]vigil dead-letters show vitals.readings.v1/3/4711 --payload[/bold]"
)
def show(
    letter_id: Annotated[str, typer.Argument(help="As `list` tells it, or a correlation id.", metavar="ID")],
    payload: Annotated[  # noqa: FBT002
        bool, typer.Option("--payload", help="Show key, value and headers too; they may name a patient.")
    ] = False,
    as_json: AsJson = False,  # noqa: FBT002
    wait: WaitForDatabase = WAIT_SECONDS,
) -> None:
    """Show one record: what was wrong with it, where, and its bytes if asked for."""
    from worker.dead_letters import reading, telling  # noqa: PLC0415

    wanted = filter_of(Asked(letter_id=letter_id))
    letters = asyncio.run(reading.shown(settings_with_logging(), wait, wanted))
    if as_json:
        _write_json([telling.json_in_full(letter, with_payload=payload) for letter in letters])
        return
    for line in telling.lines_in_full(letters, with_payload=payload):
        typer.echo(line)


@app.command(
    "export",
    epilog="Example: [bold]vigil dead-letters export bad.ndjson --device mon-7b-12[/bold], repair, then "
    "[bold]vigil dead-letters replay --from bad.ndjson[/bold]",
)
def export(  # noqa: PLR0913, PLR0917
    out: Annotated[str, typer.Argument(help="A file; standard output if left out.", metavar="FILE")] = "-",
    stage: Stages = None,
    reason: Reasons = None,
    device: Device = None,
    partition: Partition = None,
    since: Since = None,
    until: Until = None,
    letter_id: Id = None,
    wait: WaitForDatabase = WAIT_SECONDS,
) -> None:
    """Write records as lines of JSON, byte for byte (base64), with what was wrong. It holds patients' data."""
    from worker.dead_letters import reading  # noqa: PLC0415

    wanted = filter_of(_asked(stage, reason, device, partition, since, until, letter_id))
    count = asyncio.run(reading.export(settings_with_logging(), wait, wanted, out))
    typer.echo(f"records written: {count:,}", err=out == reading.STDOUT)


@app.command(
    "replay",
    epilog="Example: [bold]vigil dead-letters replay --reason unit_missing --dry-run[/bold], then without. "
    "Cut off, it goes on when run again: nothing is left out, and nothing is sent twice.",
)
def replay(  # noqa: PLR0913, PLR0917
    stage: Stages = None,
    reason: Reasons = None,
    device: Device = None,
    partition: Partition = None,
    since: Since = None,
    until: Until = None,
    letter_id: Id = None,
    everything: Annotated[bool, typer.Option("--all", help="All there are.")] = False,  # noqa: FBT002
    source: Annotated[
        Path | None, typer.Option("--from", help="Records as `export` wrote them, repaired by you.")
    ] = None,
    dry_run: Annotated[  # noqa: FBT002
        bool, typer.Option("--dry-run", help="Count by stage and reason; send nothing.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Also what was sent before.")] = False,  # noqa: FBT002
    max_rounds: Annotated[
        int, typer.Option(min=1, max=1000, help="Leave out what has come back so often.")
    ] = 3,
    rate: Annotated[float, typer.Option(min=1, max=1_000_000, help="Records a second, at most.")] = 200.0,
    abandon: Annotated[  # noqa: FBT002
        bool, typer.Option("--abandon", help="Forget what an unfinished replay has not sent.")
    ] = False,
    wait: Wait = WAIT_SECONDS,
) -> None:
    """Send records to the topic they came from, with the bytes, key and headers they had, or repaired ones.

    What they page for is decided as for any late reading. Exit code 4: done, but some were left out.
    """
    from worker.dead_letters import running  # noqa: PLC0415
    from worker.dead_letters.commands import Manner  # noqa: PLC0415

    asked = _asked(stage, reason, device, partition, since, until, letter_id)
    if source is not None and (everything or not asked.is_everything):
        raise OperatorError("--from FILE says what to replay: leave the filters and --all out")
    if everything and not asked.is_everything:
        raise OperatorError("--all and a filter contradict each other: leave one out")
    settings = settings_with_logging()
    if abandon:
        running.forget(settings, wait)
        return
    wanted = None if asked.is_everything and not everything else filter_of(asked)
    manner = Manner(most_rounds=max_rounds, rate=rate, again=again)
    is_complete = running.run(settings, wait, wanted, source, manner, is_dry_run=dry_run)
    if not is_complete:
        raise typer.Exit(_MUST_LOOK)


def _asked(  # noqa: PLR0913, PLR0917
    stage: Sequence[str] | None,
    reason: Sequence[str] | None,
    device: str | None,
    partition: int | None,
    since: str | None,
    until: str | None,
    letter_id: str | None,
) -> Asked:
    return Asked(
        stages=tuple(stage or ()),
        reasons=tuple(reason or ()),
        device=device,
        partition=partition,
        since=since,
        until=until,
        letter_id=letter_id,
    )


def _write_json(objects: Sequence[dict[str, Any]]) -> None:
    for told in objects:
        sys.stdout.buffer.write(orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.buffer.flush()
