"""A single worker told to stop, or frozen for less than its session lasts."""

import signal
import time
from functools import partial

from tests.faults.kinds import Kind
from tests.faults.load import Load
from tests.faults.plan import Plan
from tests.faults.running import LANES, Run
from tests.faults.settling import unsettled

_MOST_SECONDS = 10.0
_TAKING_OVER_SECONDS = 15.0  # from the start of the process to its first batch
_MANY_PATIENTS = 1000


def tell_to_stop(run: Run, strikes: int) -> None:
    """SIGTERM in the middle of the work; it must end soon and well, and leave its successor nothing to mend."""
    run.start()
    for _ in range(strikes):
        time.sleep(run.random.uniform(1, 3))
        run.struck()
        code, seconds = run.worker.terminate()
        if code != 0 or seconds >= _MOST_SECONDS:
            run.wrong.append(f"told to stop, it ended with {code} after {seconds:.1f} s")
        run.wrong.extend(unsettled(run.installation, LANES))
        begun = time.monotonic()
        run.start()
        _look_at_the_successor(run, time.monotonic() - begun)


def _look_at_the_successor(run: Run, seconds: float) -> None:
    if seconds > _TAKING_OVER_SECONDS:
        run.wrong.append(f"the successor was at work after {seconds:.1f} s only")
    for event in ("lane_lost", "lane_stopped", "claim_lost", "batch_failed", "offset_gap_found"):
        if run.worker.said(event):
            run.wrong.append(f"the successor began with {event}")


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
    Plan(fault="told to stop", kind=Kind.WORKER, act=tell_to_stop, strikes=10, seconds=80),
    Plan(
        fault="told to stop under 5000 readings/s",
        kind=Kind.WORKER,
        act=tell_to_stop,
        strikes=5,
        seconds=120,
        readings_per_s=5000,
        load=partial(Load, patients=_MANY_PATIENTS),
        is_alone=True,
    ),
    Plan(fault="stalled", kind=Kind.WORKER, act=stall, strikes=6, seconds=35),
]
SHORT = [Plan(fault="told to stop", kind=Kind.WORKER, act=tell_to_stop, strikes=1, counted=0, seconds=15)]
