"""The matrix: a row for each kind of fault, printed and written down."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table

from tests.faults.checking import Findings


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one kind of fault came to."""

    fault: str
    runs: int
    readings: int
    alerts: int
    lost: int
    doubled: int
    out_of_order: int
    seconds_until_whole: float

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.doubled or self.out_of_order)


def row_of(fault: str, findings: Findings, *, runs: int, seconds_until_whole: float) -> Row:
    return Row(
        fault=fault,
        runs=runs,
        readings=findings.readings,
        alerts=findings.alerts,
        lost=findings.lost,
        doubled=findings.doubled,
        out_of_order=findings.out_of_order,
        seconds_until_whole=round(seconds_until_whole, 1),
    )


def write(rows: list[Row], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")


def table_of(rows: list[Row]) -> Table:
    table = Table(title="Faults")
    for name in Row.__dataclass_fields__:
        table.add_column(name.replace("_", " "), justify="left" if name == "fault" else "right")
    for row in rows:
        table.add_row(
            *(str(each) for each in asdict(row).values()), style=None if row.is_clean else "bold red"
        )
    return table
