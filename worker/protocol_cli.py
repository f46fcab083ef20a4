"""`vigil protocol`: check a protocol, look at it, compare two, try one out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from domain.protocol import Protocol
from domain.protocol_text import ProtocolError
from worker.cli_options import console
from worker.errors import OperatorError
from worker.lanes_cli import PERSON_MUST_LOOK

app = typer.Typer(
    help="Protocols: the limits, delays and priorities in force. Needs no broker and no database.",
    no_args_is_help=True,
)
_WHICH = "A shipped protocol (ward-adult, registry), or a file."


@app.command("check", epilog="Example: [bold]vigil protocol check site.toml[/bold]")
def check(protocols: Annotated[list[str], typer.Argument(help=_WHICH)]) -> None:
    """See that protocols can be used: their form, and that no limits overlap, leave a hole or are inverted."""
    for name in protocols:
        protocol = _load(name)
        typer.echo(
            f"{name}: {len(protocol.limits)} limits, as they must be; {protocol.protocol_id} {protocol.version}, "
            f"hash {protocol.digest}"
        )


@app.command("show", epilog="Example: [bold]vigil protocol show ward-adult[/bold]")
def show(protocol: Annotated[str, typer.Argument(help=_WHICH)] = "ward-adult") -> None:
    """Show every limit: its thresholds, delays, priorities, for whom it stands, and its source."""
    from worker.protocol_tables import heading_of, table_of  # noqa: PLC0415

    loaded = _load(protocol)
    typer.echo(heading_of(loaded))
    console().print(table_of(loaded))


@app.command("diff", epilog="Example: [bold]vigil protocol diff ward-adult site.toml[/bold]")
def diff(
    one: Annotated[str, typer.Argument(help=_WHICH)], other: Annotated[str, typer.Argument(help=_WHICH)]
) -> None:
    """Compare two protocols. Exit code 4 if they differ."""
    from worker.protocol_tables import changes_between  # noqa: PLC0415

    changes = changes_between(_load(one), _load(other))
    if changes is None:
        typer.echo("both say the same")
        return
    console().print(changes)
    raise typer.Exit(PERSON_MUST_LOOK)


@app.command("test", epilog="Example: [bold]vigil protocol test trials.toml --protocol site.toml[/bold]")
def run_trials(
    files: Annotated[list[Path], typer.Argument(help="TOML files of trials.")],
    protocol: Annotated[str, typer.Option(help=_WHICH)] = "ward-adult",
) -> None:
    """Run trials (`at 26s: spo2 90; expect start spo2-low medium`) with the evaluator. Exit code 4 if one fails."""
    from worker.trials.files import Trial, trials_in  # noqa: PLC0415
    from worker.trials.running import run_trial  # noqa: PLC0415

    loaded = _load(protocol)
    trials: Sequence[Trial] = [trial for file in files for trial in trials_in(file)]
    outcomes = [run_trial(trial, loaded) for trial in trials]
    for outcome in outcomes:
        typer.echo(f"{'failed' if outcome.differences else 'passed'}  {outcome.trial.name}")
        for difference in outcome.differences:
            typer.echo(f"        {difference}")
    failed = sum(bool(outcome.differences) for outcome in outcomes)
    typer.echo(f"{len(outcomes)} trials under {loaded.protocol_id} {loaded.version}, {failed} failed")
    if failed:
        raise typer.Exit(PERSON_MUST_LOOK)


def _load(name: str) -> Protocol:
    from worker.protocols import load_protocol  # noqa: PLC0415

    try:
        return load_protocol(name)
    except ProtocolError as error:
        raise OperatorError(str(error)) from None
