"""The whole matrix of faults on a Kafka and a PostgreSQL of its own: `python -m tests.faults`, or `make faults`."""

import sys
from pathlib import Path

from rich.console import Console

from deploy.local import CONTROLLABLE, local_services
from tests.faults.matrix import run_plan
from tests.faults.plans import MATRIX, SHORT
from tests.faults.rows import table_of, told, write
from tests.faults.running import seed_of_the_day

_WRITTEN_TO = Path(__file__).parents[2] / "build" / "faults.json"
_WIDTH = 150


def main(arguments: list[str]) -> int:
    """Run the plans whose name holds one of *arguments*, all without any; `--short` takes each kind once."""
    console, seed = Console(width=_WIDTH), seed_of_the_day()
    wanted = [each for each in arguments if each != "--short"]
    plans = [
        plan
        for plan in (SHORT if "--short" in arguments else MATRIX)
        if not wanted or any(each in plan.fault for each in wanted)
    ]
    console.print(f"VIGIL_FAULTS_SEED={seed}, {len(plans)} kinds of fault")
    outcomes, failed = [], 0
    with local_services(places=CONTROLLABLE) as services:
        for plan in plans:
            try:
                outcome = run_plan(plan, services, seed)
            except AssertionError as error:
                console.print(f"{plan.fault}: {error}", style="bold red", markup=False)
                failed += 1
                continue
            outcomes.append(outcome)
            console.print(told(outcome.row), style=None if outcome.row.is_clean else "bold red", markup=False)
            for text in outcome.wrong[:10]:
                console.print(f"          wrong: {text}", style="red", markup=False)
            for text, count in outcome.complaints.most_common(8) if outcome.wrong else ():
                console.print(f"          logged {count} times: {text[:200]}", style="dim", markup=False)
            write([each.row for each in outcomes], _WRITTEN_TO)
    console.print(table_of([each.row for each in outcomes]))
    return 1 if failed or any(each.wrong for each in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
