"""A worker frozen until another has taken over, and then let go on."""

import signal
import time
from functools import partial

from deploy.local.vigil import wait_until
from tests.faults.acting import reached_at, times_to_pass, works_again
from tests.faults.kinds import Kind
from tests.faults.plan import TWO, TWO_QUICK, Plan
from tests.faults.running import LANES, Run
from tests.faults.workers import Worker
from worker.fault_points import FaultPoint


def zombie(run: Run, strikes: int, *, seconds: float, point: FaultPoint | None = None) -> None:
    """Freeze a worker, at *point* or anywhere, until another has taken over; *seconds* later let it go on."""
    frozen, other = run.workers.values()
    other.start()  # so that no partition is new to the database any more
    assert wait_until(lambda: _partitions_of(other) == 2 * LANES, 60)
    assert other.wait_for("batch_handled")
    other.terminate()
    for _ in range(strikes):
        _freeze(run, frozen, point)
        other.start()
        assert wait_until(lambda: _partitions_of(other) == 2 * LANES, 60), "nobody has taken over"
        time.sleep(seconds)
        frozen.send(signal.SIGCONT)
        works_again(frozen)
        time.sleep(1)
        other.terminate()
        frozen.terminate()
    run.start()


def _freeze(run: Run, frozen: Worker, point: FaultPoint | None) -> None:
    """Start a worker and freeze it; at its first claim, which is of all that came before it."""
    if point is None:
        frozen.start()
        assert frozen.wait_for("batch_handled")
        time.sleep(run.random.uniform(1, 3))
        frozen.send(signal.SIGSTOP)
        run.struck()
    else:
        times = 1 if point is FaultPoint.BEFORE_CLAIM else times_to_pass(run, point)
        frozen.start(VIGIL_FAULT_POINT=f"{point}:{times}:stop")
        assert frozen.wait_for("fault_point_reached")
        run.struck(reached_at(frozen))


def _partitions_of(worker: Worker) -> int:
    """How many partitions the present process reads."""
    recovered = worker.entries("positions_recovered")
    return int(str(recovered[-1]["partitions"])) if recovered else 0


_POINTS = {
    "in a Kafka transaction": FaultPoint.MID_KAFKA_TRANSACTION,
    "before a claim": FaultPoint.BEFORE_CLAIM,
    "before a commit": FaultPoint.BEFORE_COMMIT,
}

MATRIX = [
    Plan(
        fault="zombie of a minute",
        kind=Kind.WORKER,
        act=partial(zombie, seconds=60),
        strikes=1,
        names=TWO,
        seconds=130,
    ),
    Plan(
        fault="zombie",
        kind=Kind.WORKER,
        act=partial(zombie, seconds=8),
        strikes=3,
        names=TWO_QUICK,
        seconds=100,
    ),
    Plan(
        # Its transaction is still open when it wakes: the other's start must have ended it.
        fault="zombie just taken over",
        kind=Kind.WORKER,
        act=partial(zombie, seconds=0, point=FaultPoint.MID_KAFKA_TRANSACTION),
        strikes=3,
        names=TWO_QUICK,
        seconds=70,
    ),
    *(
        Plan(
            fault=f"zombie {where}",
            kind=Kind.WORKER,
            act=partial(zombie, seconds=8, point=point),
            strikes=2,
            names=TWO_QUICK,
            seconds=75,
        )
        for where, point in _POINTS.items()
    ),
]
SHORT = [
    Plan(
        fault=f"zombie {where}",
        kind=Kind.WORKER,
        act=partial(zombie, seconds=0, point=_POINTS[where]),
        strikes=1,
        names=TWO_QUICK,
        seconds=35,
    )
    for where in ("in a Kafka transaction", "before a claim")
]
