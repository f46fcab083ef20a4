"""The whole matrix of faults on brokers and databases of its own: `python -m tests.faults`, or `make faults`."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tests.faults.defects import CAUGHT_BY, DEFECTS
from tests.faults.plan import Plan
from tests.faults.plans import MATRIX, SHORT
from tests.faults.rows import Row, shortfalls, table_of, told, write
from tests.faults.running import seed_of_the_day
from tests.faults.side_by_side import Told, run_all

_WRITTEN_TO = Path(__file__).parents[2] / "build" / "faults.json"
_WIDTH = 150
_SIDES = max(1, min(3, (os.cpu_count() or 2) - 1))  # each keeps about one processor busy
_MOST_TOLD = 10


def main() -> int:
    """Run what was asked for; 0 if nothing was lost, doubled or out of order, and enough was struck."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that what runs is ended
    asked = _arguments()
    console, seed = Console(width=_WIDTH), seed_of_the_day()
    plans = _wanted(asked)
    console.print(f"VIGIL_FAULTS_SEED={seed}, {len(plans)} kinds of fault, {asked.sides} side by side")
    rows, begun = [], time.monotonic()
    for one in run_all(plans, seed, sides=asked.sides):
        rows.append(one.row)
        write(rows, _WRITTEN_TO)
        minutes = (time.monotonic() - begun) / 60
        console.print(
            f"{len(rows):3}/{len(plans)} {minutes:5.1f} min  {told(one.row)}", style=_style(one.row)
        )
        _explain(console, one)
    console.print(table_of(rows))
    missing = shortfalls(rows) if asked.is_whole else []
    for text in missing:
        console.print(text, style="bold red")
    console.print(f"VIGIL_FAULTS_SEED={seed}, {(time.monotonic() - begun) / 60:.1f} minutes; {_WRITTEN_TO}")
    return 0 if rows and not missing and all(row.is_clean for row in rows) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=main.__doc__)
    parser.add_argument("names", nargs="*", help="only rows whose name holds one of these")
    parser.add_argument("--short", action="store_true", help="every kind once")
    parser.add_argument(
        "--sides", type=int, default=_SIDES, help="how many run at once, each with services of its own"
    )
    parser.add_argument(
        "--defect", choices=DEFECTS, help="let the workers have it: the rows that catch it must fail"
    )
    parser.add_argument("--list", action="store_true", dest="lists", help="name the rows, and run nothing")
    asked = parser.parse_args()
    if asked.defect:
        os.environ["VIGIL_FAULTS_DEFECT"] = asked.defect
        asked.names = asked.names or CAUGHT_BY[asked.defect]
    asked.is_whole = not (asked.short or asked.names)
    if asked.lists:
        for plan in _wanted(asked):
            sys.stdout.write(f"{plan.seconds:5.0f} s  {plan.kind:<14} {plan.fault}\n")
        sys.exit(0)
    return asked


def _wanted(asked: argparse.Namespace) -> Sequence[Plan]:
    plans = SHORT if asked.short else MATRIX
    return [plan for plan in plans if not asked.names or any(each in plan.fault for each in asked.names)]


def _style(row: Row) -> str | None:
    return None if row.is_clean else "bold red"


def _explain(console: Console, one: Told) -> None:
    for text in one.wrong[:_MOST_TOLD]:
        console.print(f"          wrong: {text}", style="red", markup=False)
    for text, count in one.complaints:
        console.print(f"          logged {count} times: {text[:300]}", style="dim", markup=False)


if __name__ == "__main__":
    sys.exit(main())
