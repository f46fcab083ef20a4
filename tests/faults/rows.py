"""The matrix: a row for each kind of fault, printed and written down."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table

from tests.faults.kinds import Kind

_SERVICES = (Kind.BROKER, Kind.DATABASE)
LEAST = {"worker_kills": 200, "service_faults": 30}
"""Of strikes that count, in the whole matrix."""

_PRINTED = (
    "fault",
    "runs",
    "strikes",
    "readings",
    "alerts",
    "lost",
    "doubled",
    "out_of_order",
    "seconds_until_whole",
    "seed",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one kind of fault came to.

    *runs* are the strikes that count: at least one alert was called for and not out yet then. *strikes* are all.
    """

    fault: str
    kind: Kind
    runs: int
    strikes: int
    worker_kills: int
    service_faults: int
    readings: int
    alerts: int
    lost: int
    removed: int  # by the broker, before it was read: so many must be lost
    doubled: int
    out_of_order: int
    wrong: int  # of these three, and of all else that cannot be
    seconds_until_whole: float
    seconds: float  # that it took in all
    seed: int

    @property
    def is_clean(self) -> bool:
        return not (self.lost != self.removed or self.doubled or self.out_of_order or self.wrong)


def totals_of(rows: Sequence[Row]) -> dict[str, int]:
    """What all rows come to together."""
    counted = ("worker_kills", "service_faults", "lost", "doubled", "out_of_order", "wrong")
    totals = {name: sum(getattr(row, name) for row in rows) for name in ("runs", *counted)}
    return totals | {"lost": totals["lost"] - sum(row.removed for row in rows)}


def row_of_failure(fault: str, kind: Kind, seed: int) -> Row:
    """The row of a plan that could not be carried out."""
    nothing = dict.fromkeys(
        (
            "runs",
            "strikes",
            "worker_kills",
            "service_faults",
            "readings",
            "alerts",
            "lost",
            "removed",
            "doubled",
            "out_of_order",
        ),
        0,
    )
    return Row(fault=fault, kind=kind, **nothing, wrong=1, seconds_until_whole=0, seconds=0, seed=seed)


def shortfalls(rows: Sequence[Row]) -> list[str]:
    """What the whole matrix has too little of."""
    totals = totals_of(rows)
    return [
        f"{totals[name]} {name.replace('_', ' ')} are fewer than {least}"
        for name, least in LEAST.items()
        if totals[name] < least
    ]


def count_services(in_doubt: dict[Kind, int]) -> int:
    return sum(in_doubt.get(kind, 0) for kind in _SERVICES)


def write(rows: Sequence[Row], path: Path) -> None:
    """Write *rows* as a list, and what they come to into a file of its own beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")
    totals = path.with_stem(f"{path.stem}-totals")
    totals.write_text(json.dumps(totals_of(rows), indent=2) + "\n")


def told(row: Row) -> str:
    """A row as a line, for whoever waits."""
    return (
        f"{row.seconds:6.1f} s  {row.fault}: {row.runs} of {row.strikes} strikes with alerts in doubt, "
        f"{row.lost} lost, {row.doubled} doubled, {row.out_of_order} out of order, whole after {row.seconds_until_whole:g} s"
    )


def table_of(rows: Sequence[Row]) -> Table:
    table = Table(title="Faults")
    for name in _PRINTED:
        is_text = name == "fault"
        table.add_column(
            name.replace("_", " "), justify="left" if is_text else "right", min_width=34 if is_text else None
        )
    for row in rows:
        table.add_row(
            *(str(getattr(row, name)) for name in _PRINTED), style=None if row.is_clean else "bold red"
        )
    totals = totals_of(rows)
    table.add_section()
    table.add_row("all", *(str(totals.get(name, "")) for name in _PRINTED[1:]))
    return table
