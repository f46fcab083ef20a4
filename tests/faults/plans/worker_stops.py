"""A single worker told to stop, or frozen for less than its session lasts."""

import signal
import time

from tests.faults.kinds import Kind
from tests.faults.plan import Plan
from tests.faults.running import Run


def tell_to_stop(run: Run, strikes: int) -> None:
    """SIGTERM in the middle of the work."""
    run.start()
    for _ in range(strikes):
        time.sleep(run.random.uniform(0.5, 2))
        run.struck()
        run.worker.terminate()
        run.start()


def stall(run: Run, strikes: int) -> None:
    """Freeze the worker for less than its session lasts."""
    run.start()
    for _ in range(strikes):
        time.sleep(run.random.uniform(0.5, 1.5))
        run.worker.send(signal.SIGSTOP)
        time.sleep(run.random.uniform(1, 4))
        run.struck()
        run.worker.send(signal.SIGCONT)


MATRIX = [
    Plan(fault="told to stop", kind=Kind.WORKER, act=tell_to_stop, strikes=8, seconds=45),
    Plan(fault="stalled", kind=Kind.WORKER, act=stall, strikes=6, seconds=35),
]
SHORT = [Plan(fault="told to stop", kind=Kind.WORKER, act=tell_to_stop, strikes=1, seconds=15)]
