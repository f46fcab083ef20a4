"""What a worker meets that is no signal: no more memory, an event loop that stands still, a long backlog."""

import time

from tests.faults.acting import reached_at, times_to_pass, works_again
from tests.faults.kinds import Kind
from tests.faults.plan import TWO_QUICK, Plan
from tests.faults.running import Run
from worker.fault_points import FaultPoint

_POINTS = (
    FaultPoint.AFTER_INSERT,
    FaultPoint.BEFORE_COMMIT,
    FaultPoint.MID_KAFKA_TRANSACTION,
    FaultPoint.AFTER_COMMIT,
)
_GRACE_SECONDS = 5.0
_AWAY_SECONDS = 60.0


def run_out_of_memory(run: Run, strikes: int) -> None:
    """Let the worker get no more memory at some point, and end it a while later, if it has not ended by itself."""
    for _ in range(strikes):
        point = run.random.choice(_POINTS)
        run.worker.start(VIGIL_FAULT_POINT=f"{point}:{times_to_pass(run, point)}:exhaust")
        assert run.worker.wait_for("fault_point_reached"), run.worker.last_words()
        run.struck(reached_at(run.worker))
        if run.worker.wait(_GRACE_SECONDS) is None:
            run.worker.kill()
    run.start()


def stay_away(run: Run, strikes: int) -> None:
    """Kill the worker, and start it when a minute's readings wait for it."""
    run.start()
    for _ in range(strikes):
        time.sleep(run.random.uniform(1, 3))
        run.worker.kill()
        run.struck()
        time.sleep(_AWAY_SECONDS)
        run.start()


def stand_still(run: Run, strikes: int) -> None:
    """Hold up the event loop of one worker for longer than its session lasts, while another takes over."""
    held_up, other = run.workers.values()
    for _ in range(strikes):
        point = run.random.choice(_POINTS)
        held_up.start(VIGIL_FAULT_POINT=f"{point}:{20 + times_to_pass(run, point)}:stall")
        assert held_up.wait_for("fault_point_reached"), held_up.last_words()
        run.struck(reached_at(held_up))
        other.start()
        assert other.wait_for("batch_handled"), other.last_words()
        works_again(held_up)
        other.terminate()
        held_up.terminate()
    run.start()


MATRIX = [
    Plan(
        fault="event loop held up",
        kind=Kind.WORKER,
        act=stand_still,
        strikes=2,
        names=TWO_QUICK,
        seconds=110,
    ),
    Plan(fault="out of memory", kind=Kind.WORKER, act=run_out_of_memory, strikes=6, seconds=60),
    Plan(
        fault="killed and away for a minute",
        kind=Kind.WORKER_KILLED,
        act=stay_away,
        strikes=1,
        seconds=120,
    ),
]
SHORT: list[Plan] = []
