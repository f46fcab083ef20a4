"""What several fault plans do in the same way."""

import signal
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from deploy.local import Kafka, Postgres
from deploy.local.vigil import wait_until
from tests.faults.running import LANES, Run
from tests.faults.workers import Worker
from worker.fault_points import FaultPoint

_TAKING = (FaultPoint.TAKING_LANE_AFTER_PRODUCER_START, FaultPoint.TAKING_LANE_AFTER_CURSOR)
IN_DATABASE = (FaultPoint.AFTER_INSERT, FaultPoint.BEFORE_COMMIT, FaultPoint.AFTER_COMMIT)
IN_KAFKA = (FaultPoint.MID_KAFKA_TRANSACTION, FaultPoint.BEFORE_KAFKA_COMMIT, FaultPoint.AFTER_KAFKA_COMMIT)
_FROZEN_S = 0.5  # at the load's rate more than a dozen alerts are called for meanwhile
_POINT_SECONDS = 60.0


def start_to_be_struck(run: Run, points: Sequence[FaultPoint]) -> None:
    """Start the only worker so that `strike` finds it at one of *points*."""
    worker = run.worker
    worker.start(VIGIL_FAULT_POINT=f"{','.join(points)}:1:stop:{_freezer(worker)}")
    assert worker.wait_for("batch_handled"), worker.last_words()


def strike(run: Run, fault: Callable[[], object]) -> None:
    """Do *fault* while the worker is at a fault point and alerts are in doubt; then let it go on.

    It stays frozen for a moment, in which the load goes on: so that something is called for and not out.
    """
    worker, freezer = run.worker, _freezer(run.worker)
    seen = worker.said("fault_point_reached")
    freezer.touch()
    try:
        reached = wait_until(lambda: worker.said("fault_point_reached") > seen, _POINT_SECONDS)
        assert reached, worker.last_words()
        time.sleep(_FROZEN_S)
        run.struck()
        fault()
    finally:
        freezer.unlink()
        worker.send(signal.SIGCONT)


def _freezer(worker: Worker) -> Path:
    return worker.workspace.folder / f"{worker.name}.freeze"


def times_to_pass(run: Run, point: FaultPoint) -> int:
    """How many times *point* is to be passed before it strikes: once in a while of its own."""
    if point in _TAKING:
        return run.random.randint(1, LANES)
    if point in IN_KAFKA:
        return run.random.randint(1, 10 * LANES)
    return run.random.randint(1, 30)


def reached_at(worker: Worker) -> datetime:
    """When the present process said that it was at its fault point."""
    told = worker.entries("fault_point_reached")[-1]
    return datetime.fromtimestamp(float(str(told["at"])), UTC)


def works_again(worker: Worker, seconds: float = 90) -> None:
    """Return once *worker* has handled another batch."""
    handled = worker.said("batch_handled")
    assert wait_until(lambda: worker.said("batch_handled") > handled, seconds), (
        f"it does not resume by itself: {worker.last_words()}"
    )


def kafka_of(run: Run) -> Kafka:
    assert run.services is not None, "this plan needs services of its own"
    return run.services.kafka


def postgres_of(run: Run) -> Postgres:
    assert run.services is not None, "this plan needs services of its own"
    return run.services.postgres
