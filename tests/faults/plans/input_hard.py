"""A load that is hard to take: much of it repeated, contradicting, reordered, hours late, from the future, bad or large."""

from functools import partial

from tests.faults.kinds import Kind
from tests.faults.load import HARD, Load
from tests.faults.plan import Plan
from tests.faults.plans.worker_kills import kill_at_random_moments
from tests.faults.running import Run


def kill_meanwhile(run: Run, strikes: int) -> None:
    kill_at_random_moments(run, strikes, kind=Kind.WORKER_KILLED)


MATRIX = [
    Plan(
        fault="hard input",
        kind=Kind.INPUT,
        act=kill_meanwhile,
        strikes=12,
        counted=3,
        seconds=60,
        readings_per_s=300,
        load=partial(Load, kinds=HARD),
    )
]
SHORT = [
    Plan(
        fault="hard input",
        kind=Kind.INPUT,
        act=kill_meanwhile,
        strikes=3,
        seconds=20,
        readings_per_s=300,
        load=partial(Load, kinds=HARD),
    )
]
