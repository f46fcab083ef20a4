"""kill -9 of one process of a worker that has two, and of the supervisor that looks after both."""

import os
import signal
import time
from pathlib import Path

from deploy.local.vigil import wait_until
from tests.faults.kinds import Kind
from tests.faults.plan import Names, Plan
from tests.faults.running import Run
from tests.faults.workers import STOP_SECONDS, Worker

TWO_PROCESSES: Names = {"alone": {"VIGIL_INSTANCE_ID": "alone", "VIGIL_PROCESSES": "2"}}
_AT_ONCE_SECONDS = 1.0
_KILLED = 128 + signal.SIGKILL


def kill_one_process_or_the_supervisor(run: Run, strikes: int) -> None:
    """In turns; whichever it is, all of them end, and what starts the worker starts it anew."""
    worker = run.worker
    _start(worker)
    for number in range(strikes):
        time.sleep(run.random.uniform(0.2, 2))
        pids = _pids(worker)
        if number % 2:
            worker.send(signal.SIGKILL)
            run.struck()
            assert worker.wait(STOP_SECONDS) == -signal.SIGKILL
            assert _are_gone(pids, _AT_ONCE_SECONDS), "a process is left over"
        else:
            os.kill(run.random.choice(pids), signal.SIGKILL)
            run.struck()
            assert worker.wait(STOP_SECONDS) == _KILLED, worker.last_words()
        assert _are_gone(pids, 0)
        _start(worker)


def _start(worker: Worker) -> None:
    """Start it, and wait until both processes are at work."""
    worker.start()
    assert wait_until(lambda: len({each["process"] for each in worker.entries("batch_handled")}) == 2, 60), (
        f"not both work: {worker.last_words()}"
    )


def _pids(worker: Worker) -> list[int]:
    return [int(str(each["pid"])) for each in worker.entries("process_made")]


def _are_gone(pids: list[int], seconds: float) -> bool:
    return wait_until(lambda: not any(_runs(pid) for pid in pids), seconds)


def _runs(pid: int) -> bool:
    """Whether it runs; one that has ended and that nobody has asked how does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


MATRIX = [
    Plan(
        fault="one of two processes, or their supervisor, killed",
        kind=Kind.WORKER_KILLED,
        act=kill_one_process_or_the_supervisor,
        strikes=10,
        seconds=60,
        names=TWO_PROCESSES,
    )
]
SHORT: list[Plan] = []  # the kind is there
