"""Timers: what happens without a reading happens for the charts that are due."""

from typing import TYPE_CHECKING

from tests.model.broker import Steps
from tests.model.charting import Charting, Taken
from tests.model.clinic import tick
from tests.model.database import ConnectionLostError
from tests.model.defects import Defect

if TYPE_CHECKING:
    from tests.model.workers import Worker


def keep_time(worker: "Worker") -> Steps:
    """Pass over the lanes for ever; an error costs one pass."""
    while True:
        yield
        for lane in sorted(worker.lanes):
            yield from worker.take_turn()
            try:
                at = _lane_time(worker)
                if at is not None and _is_still_ours(worker, lane):
                    yield from _pass(worker, lane, at)
            except ConnectionLostError:
                worker.world.saw("connection lost in a tick")
            finally:
                worker.has_turn = False
        yield


def _lane_time(worker: "Worker") -> int | None:
    """The moment up to which everything that came is handled, None if that cannot be said."""
    seen = [position.seen_until for position in worker.positions.values()]
    known = [until for until in seen if until is not None]
    return min(known) if known and len(known) == len(seen) else None


def _is_still_ours(worker: "Worker", lane: int) -> bool:
    """The lane may have been lost while the turn was waited for; then the time is that of other partitions."""
    return lane in worker.lanes or worker.world.planted is Defect.TICK_OF_A_LOST_LANE


def _pass(worker: "Worker", lane: int, at: int) -> Steps:
    world = worker.world
    with world.database.begin(worker) as transaction:
        yield
        heads = {p: transaction.get(("chart", p)) for p in range(lane, world.patients, world.lanes)}
    due = [patient for patient, head in heads.items() if head and head[1] is not None and head[1] <= at]
    yield
    if due:
        yield from _tick(worker, due, at)


def _tick(worker: "Worker", due: list[int], at: int) -> Steps:
    """No claim is needed; `due_at` is read again under the lock."""
    world = worker.world
    with world.database.begin(worker) as transaction:
        charts = Charting(transaction, world.database, world.lanes, world.planted)
        yield from charts.lock(due, is_tick=True)
        for patient in due:
            chart = charts[patient]
            is_due = chart.due is not None and chart.due <= at
            if is_due or world.planted is Defect.DUE_NOT_READ_AGAIN:
                charts.enter(patient, tick(chart, patient, at), Taken(at, None))
        yield from charts.save()
        yield from transaction.commit()
    worker.remember(charts.queued)
    world.saw("ticks committed")
