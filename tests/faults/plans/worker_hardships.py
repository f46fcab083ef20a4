"""What a worker meets that is no signal: no more memory, an event loop that stands still."""

import urllib.error
import urllib.request

from deploy.local.vigil import wait_until
from tests.faults.acting import reached_at, times_to_pass, works_again
from tests.faults.kinds import Kind
from tests.faults.plan import TWO_QUICK, Plan
from tests.faults.running import Run
from tests.faults.workers import Worker
from worker.fault_points import FaultPoint

_POINTS = (
    FaultPoint.AFTER_INSERT,
    FaultPoint.BEFORE_COMMIT,
    FaultPoint.MID_KAFKA_TRANSACTION,
    FaultPoint.AFTER_COMMIT,
)
_GRACE_SECONDS = 30.0


def run_out_of_memory(run: Run, strikes: int) -> None:
    """Let the worker get no more memory at some point; it must end by itself, or be ended."""
    for _ in range(strikes):
        point = run.random.choice(_POINTS)
        run.worker.start(VIGIL_FAULT_POINT=f"{point}:{times_to_pass(run, point)}:exhaust")
        assert run.worker.wait_for("fault_point_reached"), run.worker.last_words()
        run.struck(reached_at(run.worker))
        if run.worker.wait(_GRACE_SECONDS) is None:
            run.worker.kill()
    run.start()


MATRIX = [
    Plan(fault="out of memory", kind=Kind.WORKER, act=run_out_of_memory, strikes=6, seconds=60),
]
SHORT = []
