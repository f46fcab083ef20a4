"""`vigil score`: the scorers over a table of one's own."""

import sys
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from worker.scoring.errors import ScoringError
from worker.scoring.tables import score_table

app = typer.Typer(
    help="Score a table of your own, to check the scorer before you trust it. Needs no broker and no database.",
    no_args_is_help=True,
)


@app.callback()
def _score() -> None:
    """Score a table of your own, to check the scorer before you trust it. Needs no broker and no database."""


@app.command("news2", epilog="Example: [bold]vigil score news2 ward.csv --output scored.csv[/bold]")
def news2(
    file: Annotated[
        Path,
        typer.Argument(
            help="A CSV file with the columns rr,spo2,spo2_scale,on_oxygen,sbp,hr,new_confusion_or_vpu,temp_c; "
            "an empty cell is missing. Other columns are kept."
        ),
    ],
    output: Annotated[
        Path | None, typer.Option(help="Where the scored table goes; standard output if left out.")
    ] = None,
) -> None:
    """Add the seven sub-scores, total, band, red and what is missing (NEWS2, RCP 2017) to each row.

    A row with something missing has no total: at_least is what is known, band the band it has reached already.
    Under 16 and in pregnancy the score does not apply.
    """
    if output is None:
        tell(score_table(file, sys.stdout))
        return
    if output.resolve() == file.resolve():
        raise ScoringError(f"--output must be another file than {file}, which would be lost")
    unfinished = output.with_name(f"{output.name}.part")
    try:
        with unfinished.open("w", newline="", encoding="utf-8") as out:
            bands = score_table(file, out)
        unfinished.replace(output)
    except ScoringError:
        unfinished.unlink()
        raise
    except OSError as error:
        raise ScoringError(f"{output} cannot be written: {error.strerror}") from None
    tell(bands)


def tell(bands: Counter[str]) -> None:
    """Say on standard error how many rows there were of each band."""
    told = ", ".join(f"{count} {band}" for band, count in sorted(bands.items()))
    typer.echo(f"{bands.total()} rows scored: {told or 'the table has no rows'}", err=True)
