"""kill -9 of the worker: at every fault point, and at random moments."""

import signal
import time
from functools import partial

from tests.faults.acting import reached_at, times_to_pass
from tests.faults.kinds import Kind
from tests.faults.plan import Plan
from tests.faults.running import Run
from worker.fault_points import FaultPoint

_POINT_SECONDS = 60.0


def kill_at_point(run: Run, strikes: int, *, point: FaultPoint) -> None:
    """Let the worker die at *point* again and again, each time after it has passed it some times."""
    for _ in range(strikes):
        _die_at(run, point)
    run.start()


def kill_at_every_point(run: Run, strikes: int) -> None:
    for _ in range(strikes):
        for point in FaultPoint:
            _die_at(run, point)
    run.start()


def _die_at(run: Run, point: FaultPoint) -> None:
    worker = run.worker
    worker.start(VIGIL_FAULT_POINT=f"{point}:{times_to_pass(run, point)}")
    assert worker.wait(_POINT_SECONDS) == -signal.SIGKILL, f"{point} was not reached"
    run.struck(reached_at(worker))


def kill_at_random_moments(run: Run, strikes: int, *, kind: Kind | None = None) -> None:
    """Kill whatever the worker is at: while it starts, as it catches up, in the middle of its work."""
    run.worker.start()
    for _ in range(strikes):
        if run.random.random() < 0.2:
            time.sleep(run.random.uniform(0.2, 2.0))
        else:
            assert run.worker.wait_for("batch_handled")
            time.sleep(run.random.choice((0.3, 0.6, 4.0)) * run.random.random())
        run.worker.kill()
        run.struck(kind=kind)
        run.worker.start()
    assert run.worker.wait_for("batch_handled")


MATRIX = [
    *(
        Plan(
            fault=f"killed {point}",
            kind=Kind.WORKER_KILLED,
            act=partial(kill_at_point, point=point),
            strikes=14,
            counted=5,
            seconds=40,
        )
        for point in FaultPoint
    ),
    Plan(
        fault="killed at random moments",
        kind=Kind.WORKER_KILLED,
        act=kill_at_random_moments,
        strikes=30,
        runs=4,
        seconds=280,
    ),
]
SHORT = [
    Plan(
        fault="killed at each fault point",
        kind=Kind.WORKER_KILLED,
        act=kill_at_every_point,
        strikes=1,
        seconds=30,
    )
]
