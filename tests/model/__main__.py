"""`python -m tests.model`: which planted defect shows in how many runs; with --seed, the story of one run."""

import argparse
import sys

from tests.model.defects import Defect
from tests.model.running import bad_runs, run

RUNS = 400


def main() -> int:
    """Print the table, or one run; the exit code says whether a run of the scheme as it is went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__)
    parser.add_argument("--seed", type=int, help="tell the story of this run")
    parser.add_argument(
        "--restored", action="store_true", help="with a restored database or reset cursors for certain"
    )
    parser.add_argument(
        "--planted", choices=[planted.name.lower() for planted in Defect], help="with this defect"
    )
    parser.add_argument(
        "--runs", type=int, default=RUNS, help=f"runs for each row of the table (default {RUNS})"
    )
    given = parser.parse_args()
    if given.seed is None:
        return table(given.runs)
    planted = None if given.planted is None else Defect[given.planted.upper()]
    return story(given.seed, planted, is_restored=given.restored)


def table(runs: int) -> int:
    """Print how often each defect shows."""
    rows = {"none": sum(1 for _ in bad_runs(range(runs)))}
    rows["none, restored for certain"] = sum(1 for _ in bad_runs(range(runs), is_restored=True))
    say(f"| planted | bad runs of {runs} |\n| --- | ---: |")
    for name, bad in rows.items():
        say(f"| {name} | {bad} |")
    for planted in Defect:
        say(f"| {planted} | {sum(1 for _ in bad_runs(range(runs), planted))} |")
    return int(any(rows.values()))


def story(seed: int, planted: Defect | None, *, is_restored: bool) -> int:
    """Print what happened in one run, in order, and what is wrong at its end."""
    wrong, world = run(seed, planted, is_restored=is_restored)
    say("\n".join(world.log))
    say("\n".join(wrong) or "nothing lost, nothing doubled")
    return int(bool(wrong))


def say(line: str) -> None:
    """Print at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
