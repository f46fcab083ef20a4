"""The command line: what an operator can say, and one clear line for each mistake."""

import asyncio
import sys
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.table import Table

from domain.observations import Mode
from worker.audit_cli import audit
from worker.cli_options import (
    CENSUS_SECONDS,
    WAIT_SECONDS,
    WATCH_WAIT_SECONDS,
    Wait,
    WaitForDatabase,
    console,
    settings_with_logging,
)
from worker.dead_letters_cli import app as dead_letters_app
from worker.errors import OperatorError, WorkerError
from worker.lanes_cli import app as lanes_app
from worker.protocol_cli import app as protocol_app
from worker.score_cli import app as score_app
from worker.settings import load_settings
from worker.settings_told import log_misspelt, tell_misspelt, tell_settings

app = typer.Typer(
    name="vigil",
    help="Asynchronous alerting worker for an oncology infirmary: vital signs in through Kafka, alerts out.",
    epilog="Settings come from VIGIL_… variables or .env: see `vigil check-config`. "
    "Exit codes: 0 done, 2 something is set up wrongly, 3 broker or database did not answer, "
    "4 done, but a person must look, 1 a defect.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
topics_app = typer.Typer(help="The topics Vigil reads and writes.", no_args_is_help=True)
db_app = typer.Typer(
    help="The database: bring it up to date, keep it in order, look at it.", no_args_is_help=True
)
app.add_typer(topics_app, name="topics")
app.add_typer(db_app, name="db")
app.add_typer(lanes_app, name="lanes")
app.add_typer(protocol_app, name="protocol")
app.add_typer(score_app, name="score")
app.add_typer(dead_letters_app, name="dead-letters")
app.command(
    epilog="Example: [bold]vigil audit --since 2026-11-23T06:00:00[/bold] (exit code 4 if something is wrong)"
)(audit)


class DataMode(StrEnum):
    """What made-up or recorded data may be; never real."""

    TEST = "test"
    DEMO = "demo"


def main() -> NoReturn:
    """Run the command line; an operator's mistake is one line on standard error, never a traceback."""
    try:
        app()
    except WorkerError as error:
        for line in str(error).splitlines():
            typer.echo(f"vigil: {line}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0)


def _tell_version(is_asked: bool) -> None:  # noqa: FBT001  typer calls it so
    if is_asked:
        typer.echo(f"vigil {version_of('vigil-alerting')}")
        raise typer.Exit


@app.callback()
def _vigil(
    version: Annotated[  # noqa: FBT002  pylint: disable=unused-argument  # its callback does it all
        bool, typer.Option("--version", help="Print Vigil's version.", callback=_tell_version, is_eager=True)
    ] = False,
) -> None:
    """Asynchronous alerting worker for an oncology infirmary: vital signs in through Kafka, alerts out."""


@app.command(epilog="Example: [bold]vigil run[/bold] (waits for broker and database as long as it takes)")
def run(
    wait: Annotated[
        float | None,
        typer.Option(
            help="Seconds to wait for broker and database at start-up; without it, for ever.", min=0.1
        ),
    ] = None,
) -> None:
    """Run the worker until SIGTERM or Ctrl-C."""
    from worker.starting import start  # noqa: PLC0415  the other commands start faster without it

    settings = settings_with_logging()
    log_misspelt()
    raise typer.Exit(start(settings, wait))


@app.command("check-config", epilog="Example: [bold]VIGIL_HTTP_PORT=9000 vigil check-config[/bold]")
def check_config() -> None:
    """Print every setting, where it comes from, and the protocol; secrets are masked."""
    from worker.app import protocol_of  # noqa: PLC0415

    settings = load_settings()
    protocol = protocol_of(settings)
    tell_settings(settings)
    typer.echo(f"protocol {protocol.protocol_id} {protocol.version}, hash {protocol.digest}")
    typer.echo(f"vigil {version_of('vigil-alerting')}")
    tell_misspelt()


@topics_app.command(
    "create", epilog="Example: [bold]vigil topics create --partitions 12 --replication-factor 3[/bold]"
)
def create(
    partitions: Annotated[
        int | None, typer.Option(help="How many lanes; VIGIL_PARTITIONS if left out.", min=1, max=256)
    ] = None,
    replication_factor: Annotated[
        int | None, typer.Option(help="VIGIL_REPLICATION_FACTOR if left out; 3 in production.", min=1, max=7)
    ] = None,
    wait: Wait = WAIT_SECONDS,
) -> None:
    """Make the topics that are missing; change none that is there, but say where it differs (exit code 2)."""
    from worker.administration import make_topics  # noqa: PLC0415
    from worker.topics import Finding  # noqa: PLC0415

    settings = settings_with_logging(partitions=partitions, replication_factor=replication_factor)
    reports = asyncio.run(make_topics(settings, wait))
    table = Table("topic", "partitions", "", "remark", box=None)
    for report in reports:
        table.add_row(report.topic, str(report.partitions), report.finding, report.remark)
    console().print(table)
    if different := [report.topic for report in reports if report.finding is Finding.DIFFERS]:
        raise OperatorError(
            f"not as they were asked for, and left alone: {', '.join(different)}; see the table"
        )


@db_app.command(
    "upgrade", epilog="Example: [bold]vigil db upgrade[/bold] (safe to run again, and by several at once)"
)
def upgrade(wait: WaitForDatabase = WAIT_SECONDS) -> None:
    """Bring the schema to what this version needs."""
    from worker.administration import upgrade_database  # noqa: PLC0415

    revision = asyncio.run(upgrade_database(settings_with_logging(), wait))
    typer.echo(f"the database is at revision {revision}")


@db_app.command("maintain", epilog="Example: [bold]vigil db maintain[/bold], once a day, the workers running")
def maintain(
    months_ahead: Annotated[int, typer.Option(help="Months to make partitions for.", min=1, max=24)] = 3,
    prune: Annotated[  # noqa: FBT002
        bool,
        typer.Option("--prune", help="Remove from the outbox all that has been published, whatever its age."),
    ] = False,
    keep_all: Annotated[  # noqa: FBT002
        bool, typer.Option("--keep-all", help="Only make partitions; remove nothing, and ask no broker.")
    ] = False,
    wait: Wait = WAIT_SECONDS,
) -> None:
    """Make partitions for the months to come, and remove what is past its age and has been published.

    Ages: VIGIL_KEEP_READINGS_DAYS (whole months), VIGIL_KEEP_HISTORY_DAYS (commands, ticks, alarms that are over, dead
    letters), VIGIL_KEEP_OUTGOING_DAYS (published records). Nothing is removed while a lane needs a repair.
    """
    from worker.administration import Pruning, maintain_database  # noqa: PLC0415

    if prune and keep_all:
        raise OperatorError("--prune removes and --keep-all does not: choose one of them")
    pruning = Pruning.NOTHING if keep_all else Pruning.PUBLISHED if prune else Pruning.AGED
    upkeep = asyncio.run(
        maintain_database(settings_with_logging(), wait, months_ahead=months_ahead, pruning=pruning)
    )
    made, removed = upkeep.made, upkeep.removed
    typer.echo(
        f"partitions made: {', '.join(made.partitions) or 'none was missing'}; rows moved: {made.moved_rows}"
    )
    if removed is not None:
        typer.echo(f"months of readings dropped: {', '.join(removed.months) or 'none is past its age'}")
        rows = ", ".join(f"{count:,} of {table}" for table, count in removed.rows.items() if count)
        typer.echo(f"rows removed: {rows or 'none is past its age'}")
        for month in removed.months_in_use:
            typer.echo(f"{month} is past its age and was in use all the time: the next run will drop it")


@db_app.command("check", epilog="Example: [bold]vigil db check && vigil run[/bold]")
def check(wait: WaitForDatabase = WAIT_SECONDS) -> None:
    """See that the schema is up to date, that commits survive a power cut, and that no other Vigil works on it.

    Topics and broker are not looked at: `vigil run` does that.
    """
    from worker.administration import check_database  # noqa: PLC0415

    asyncio.run(check_database(settings_with_logging(), wait))
    typer.echo("the database is as it must be")


@app.command(epilog="Example: [bold]vigil simulate --beds 20 --speed-up 10 --seconds 60[/bold]")
def simulate(  # noqa: PLR0913, PLR0917  as many as there are options
    beds: Annotated[int, typer.Option(min=1, max=1000, help="Beds of the ward.")] = 12,
    ward: Annotated[str, typer.Option(help="Its name.")] = "7B",
    seed: Annotated[int, typer.Option(help="The same seed gives the same ward.")] = 1,
    rate: Annotated[
        float | None,
        typer.Option(help="Observation sets a second, of the whole ward; the devices' own if left out."),
    ] = None,
    speed_up: Annotated[float, typer.Option(help="How much faster than real time.")] = 1.0,
    seconds: Annotated[
        float | None, typer.Option(help="Stop after so many; until Ctrl-C if left out.")
    ] = None,
    mode: Annotated[DataMode, typer.Option(help="Made-up data is never real.")] = DataMode.DEMO,
    deteriorations: Annotated[int, typer.Option(min=0, help="Patients who get worse.")] = 4,
    start: Annotated[
        datetime | None, typer.Option(help="When the ward's time begins; now if left out.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write into this file instead of Kafka.")] = None,
) -> None:
    """Simulate a ward of monitored patients and send its readings."""
    from worker.simulation.command import simulate as simulate_ward  # noqa: PLC0415

    simulate_ward(
        settings_with_logging(), beds=beds, ward=ward, seed=seed, rate=rate, speed_up=speed_up, seconds=seconds,
        mode=mode.value, deteriorations=deteriorations, start=_utc(start), out=out,
    )  # fmt: skip


@app.command(epilog="Example: [bold]vigil replay bedside/*.csv --speed-up 60[/bold]")
def replay(  # noqa: PLR0913, PLR0917
    files: Annotated[list[Path], typer.Argument(help="CSV files of recorded vital signs.")],
    mapping: Annotated[Path | None, typer.Option(help="A TOML file that says which column is what.")] = None,
    mode: Annotated[DataMode, typer.Option(help="Recorded data is never real.")] = DataMode.DEMO,
    start: Annotated[
        str | None, typer.Option(help="When a recording without dates begins, RFC 3339.")
    ] = None,
    speed_up: Annotated[
        float | None, typer.Option(help="How much faster than real time; at once if left out.")
    ] = None,
    admit: Annotated[bool, typer.Option("--admit", help="Admit each patient first.")] = False,  # noqa: FBT002
    ward: Annotated[str | None, typer.Option(help="The ward they are admitted to.")] = None,
    bed_prefix: Annotated[str, typer.Option(help="What the names of their beds begin with.")] = "R",
    out: Annotated[Path | None, typer.Option(help="Write into this file instead of Kafka.")] = None,
) -> None:
    """Replay recorded vital signs, each with the time it was received then."""
    from worker.replay.command import WARD  # noqa: PLC0415
    from worker.replay.command import replay as replay_files  # noqa: PLC0415
    from worker.replay.playback import START  # noqa: PLC0415

    replay_files(
        settings_with_logging(), files, mapping=mapping, mode=mode.value, speed_up=speed_up, admit=admit,
        start=start or START, ward=ward or WARD, bed_prefix=bed_prefix, out=out,
    )  # fmt: skip


@app.command(
    epilog="Example: [bold]vigil evaluate stay-1.txt --protocol registry --all[/bold]. Needs no broker and no database."
)
def evaluate(  # noqa: PLR0913, PLR0917
    files: Annotated[
        list[Path], typer.Argument(help="CSV files of recorded vital signs, as for `vigil replay`.")
    ],
    protocol: Annotated[str, typer.Option(help="A shipped protocol, or a file.")] = "ward-adult",
    mapping: Annotated[Path | None, typer.Option(help="A TOML file that says which column is what.")] = None,
    start: Annotated[
        str | None, typer.Option(help="When a recording without dates begins, RFC 3339.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each alert.")] = False,  # noqa: FBT002
    show_all: Annotated[  # noqa: FBT002
        bool, typer.Option("--all", help="Every alert, not only those that somebody is called for.")
    ] = False,
) -> None:
    """Show what a protocol says of whole recordings, with the evaluator itself: nothing is sent and nothing stored."""
    from worker.rehearsal.command import evaluate as evaluate_files  # noqa: PLC0415
    from worker.replay.playback import START  # noqa: PLC0415

    evaluate_files(
        files, protocol=protocol, mapping=mapping, start=start or START, is_json=as_json, is_all=show_all
    )


@app.command(epilog="Example: [bold]vigil watch --ward 7B[/bold]")
def watch(
    mode: Annotated[Mode | None, typer.Option(help="Only this data; all of it if left out.")] = None,
    ward: Annotated[str | None, typer.Option(help="Only this ward.")] = None,
    once: Annotated[bool, typer.Option("--once", help="Print the ward once and end.")] = False,  # noqa: FBT002
    seconds: Annotated[float | None, typer.Option(help="End after so many seconds.")] = None,
    wait: Wait = WATCH_WAIT_SECONDS,
) -> None:
    """Show the ward in the terminal: who needs someone, why, since when."""
    from worker.watch import watch as watch_ward  # noqa: PLC0415

    watch_ward(settings_with_logging(), mode=mode, ward=ward, once=once, seconds=seconds, wait=wait)


@app.command(
    epilog="Example: [bold]vigil census --ward 7B[/bold]. Exit codes: 0 everybody is watched, 4 somebody is not, "
    "or in part only, or cannot be named, 3 neither database nor broker answered."
)
def census(
    ward: Annotated[str | None, typer.Option(help="Only this ward.")] = None,
    mode: Annotated[Mode | None, typer.Option(help="Only this data; all of it if left out.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,  # noqa: FBT002
    wait: Wait = CENSUS_SECONDS,
) -> None:
    """Show how every admitted patient is watched: fully, partly or not, why, since when.

    Told from what is stored and from the workers' signs of life, so it holds when no worker lives; with the database
    away the last heartbeats tell how many are not watched.
    """
    from worker.census_cli import show_census  # noqa: PLC0415

    code = show_census(settings_with_logging(), ward=ward, mode=mode, is_json=as_json, wait=wait)
    raise typer.Exit(code)


def _utc(start: datetime | None) -> datetime | None:
    """Typer reads a time without a zone; it is taken as UTC."""
    return None if start is None else start.replace(tzinfo=UTC)
