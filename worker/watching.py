"""Leaves word every few seconds how the patients of this worker's lanes are watched, and notes when they were not."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog
from aiokafka import TopicPartition
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.times import to_ms
from domain.watch import WatchState
from domain.watching import Gap, LaneSigns, SignOfLife, gap_before, sign_of_life
from persistence.unit_of_work import UnitOfWork, unit_of_work
from persistence.watching import Counted
from worker.intake import Intake
from worker.lanes import LaneKeeper
from worker.observability.metrics import Metrics
from worker.timers import Sight

WATCH_SECONDS = 5.0
"""Between two passes: a quarter of the time after which a lane's silence means that nobody evaluates."""

_DATABASE_SECONDS = 5.0

log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class Watching:
    """One pass at a time; the loop is at the edge. *counted* is what it last found, by lane."""

    engine: AsyncEngine
    metrics: Metrics
    keepers: Callable[[], Iterable[LaneKeeper]]
    intake: Intake
    counted: dict[int, list[Counted]] = field(default_factory=dict)
    _unsent_ms: dict[int, int] = field(default_factory=dict)

    async def watch_pass(self) -> None:
        """Leave word of every lane that is ours, and count its patients; while that fails, nobody counts as watched."""
        at_ms = int(time.time() * 1000)
        signs = self._signs(at_ms)
        try:
            async with asyncio.timeout(_DATABASE_SECONDS), unit_of_work(self.engine) as work:
                after, gaps = await _leave_word(work, signs, at_ms)
                counted = await work.watching.count(signs) if signs else []
        except Exception:
            self._tell([_lost(each) for some in self.counted.values() for each in some])
            raise
        self._tell([each if after[each.lane].reason is None else _lost(each) for each in counted], signs)
        for lane, gap in gaps.items():
            self._tell_gap(lane, gap)

    def _signs(self, at_ms: int) -> dict[int, LaneSigns]:
        sights = self.intake.each_sight()
        paused = {partition.partition for partition in self.intake.paused}
        keepers = {keeper.lane: keeper for keeper in self.keepers()}
        self._unsent_ms = {
            lane: self._unsent_ms.get(lane, at_ms) for lane, keeper in keepers.items() if not keeper.is_held
        }
        return {
            lane: LaneSigns(
                seen_ms=None if lane in paused else seen_ms(_of_lane(sights, lane)),
                unsent_ms=self._unsent_ms.get(lane),
                is_paused=lane in paused,
                is_stopped=keeper.stopped_because is not None,
            )
            for lane, keeper in keepers.items()
        }

    def _tell(self, counted: Sequence[Counted], lanes: Iterable[int] | None = None) -> None:
        """Show *counted*; of *lanes* without a patient that there is none."""
        by_lane: dict[int, list[Counted]] = {lane: [] for lane in (self.counted if lanes is None else lanes)}
        patients = self.metrics.patients_watched
        patients.clear()
        for each in counted:
            by_lane[each.lane].append(each)
            for state in WatchState:
                number = each.patients if state is each.state else 0
                patients.labels(ward=each.ward, mode=each.mode, state=state).inc(number)
        self.counted = by_lane

    def _tell_gap(self, lane: int, gap: Gap) -> None:
        seconds = (gap.until_ms - gap.from_ms) / 1000
        self.metrics.unwatched_seconds.labels(reason=gap.reason).inc(seconds)
        log.warning("patients_were_not_watched", lane=lane, reason=gap.reason, seconds=round(seconds, 1))


def _of_lane(sights: Mapping[TopicPartition, Sight], lane: int) -> list[Sight]:
    return [sight for partition, sight in sights.items() if partition.partition == lane]


def seen_ms(sights: Sequence[Sight]) -> int | None:
    """The moment up to which everything that came into a lane has been judged; None if that cannot be said."""
    until = [sight.received_ms if sight.caught_up_ms is None else sight.caught_up_ms for sight in sights]
    known = [ms for ms in until if ms is not None]
    return min(known) if known and len(known) == len(until) else None


async def _leave_word(
    work: UnitOfWork, signs: Mapping[int, LaneSigns], at_ms: int
) -> tuple[Mapping[int, SignOfLife], Mapping[int, Gap]]:
    """Write how each lane is, in the database's time, and what nobody watched before; returns both."""
    now_ms = to_ms(work.watching.now)
    before = await work.watching.lock_signs(signs)
    after = {
        lane: sign_of_life(before.get(lane), _shifted(each, now_ms - at_ms), now_ms)
        for lane, each in signs.items()
    }
    found = {lane: gap_before(before.get(lane), sign) for lane, sign in after.items()}
    gaps = {lane: gap for lane, gap in found.items() if gap is not None}
    await work.watching.save_signs(after)
    await work.watching.add_gaps(gaps)
    return after, gaps


def _shifted(signs: LaneSigns, by_ms: int) -> LaneSigns:
    """*signs* in the time of another clock, which is ahead of ours by so much."""
    return LaneSigns(
        seen_ms=None if signs.seen_ms is None else signs.seen_ms + by_ms,
        unsent_ms=None if signs.unsent_ms is None else signs.unsent_ms + by_ms,
        is_paused=signs.is_paused,
        is_stopped=signs.is_stopped,
    )


def _lost(counted: Counted) -> Counted:
    return counted._replace(state=WatchState.NOT_WATCHED)
