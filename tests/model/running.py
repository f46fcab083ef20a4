"""Runs by seed: what is wrong in each, how to see one again, and which defect shows how often."""

from collections.abc import Iterator

from tests.model.checking import violations
from tests.model.database import DeadlockError
from tests.model.defects import NEEDS_RESTORE, Defect
from tests.model.world import World


def run(seed: int, planted: Defect | None = None, *, is_restored: bool = False) -> tuple[list[str], World]:
    """What is wrong in the run of *seed*, nothing if all is well, and the run itself.

    With *is_restored* the database is restored or the cursors are reset for certain, otherwise in one run of five.
    """
    world = World(seed, planted, is_restored=(is_restored or planted in NEEDS_RESTORE) or None)
    try:
        is_quiet = world.run()
    except DeadlockError:
        return ["two transactions wait for each other"], world
    wrong = [] if is_quiet else [f"never whole; lanes stopped: {sorted(world.stopped)}"]
    return wrong + violations(world), world


def bad_runs(
    seeds: range, planted: Defect | None = None, *, is_restored: bool = False
) -> Iterator[tuple[int, list[str]]]:
    """The runs of *seeds* in which something is wrong, and what."""
    for seed in seeds:
        wrong, _ = run(seed, planted, is_restored=is_restored)
        if wrong:
            yield seed, wrong


def how_to_see(seed: int, wrong: list[str], *, is_restored: bool = False) -> str:
    """What went wrong in a run, and the command that runs it again and tells its story."""
    command = f"python -m tests.model --seed {seed}{' --restored' if is_restored else ''}"
    return f"{command}\n    " + "\n    ".join(wrong)
