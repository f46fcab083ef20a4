"""Several workers that join and leave under load."""

import time

from tests.faults.kinds import Kind
from tests.faults.plan import THREE, THREE_NAMED, Plan
from tests.faults.running import Run


def come_and_go(run: Run, strikes: int) -> None:
    """Several workers, of which every few seconds one is killed or told to stop, and starts again."""
    run.start()
    for _ in range(strikes):
        time.sleep(run.random.uniform(1, 3))
        worker = run.random.choice(list(run.workers.values()))
        if run.random.random() < 0.7:
            worker.kill()
            run.struck(kind=Kind.WORKER_KILLED)
        else:
            worker.terminate()
            run.struck()
        time.sleep(run.random.uniform(0, 2))
        worker.start()
    for worker in run.workers.values():
        assert worker.wait_for("positions_recovered", 120), (
            f"{worker.name} does not come back: {worker.last_words()}"
        )


MATRIX = [
    Plan(fault="three come and go", kind=Kind.WORKER, act=come_and_go, strikes=20, names=THREE, seconds=110),
    Plan(
        fault="three with names come and go",
        kind=Kind.WORKER,
        act=come_and_go,
        strikes=20,
        names=THREE_NAMED,
        seconds=90,
    ),
]
SHORT = [
    Plan(fault="three come and go", kind=Kind.WORKER, act=come_and_go, strikes=3, names=THREE, seconds=40)
]
