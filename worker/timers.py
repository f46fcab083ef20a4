"""Timers: once a second, what happens without a new reading happens for the charts that are due."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from domain.times import from_ms, to_ms
from domain.wards import WardTick
from persistence.chart_cache import ChartKey
from persistence.unit_of_work import UnitOfWork, unit_of_work
from worker.accounting import count_ticks
from worker.observability.metrics import Metrics
from worker.pipeline import Pipeline

GRACE = timedelta(seconds=1)
"""A set that is under way when its device's time runs out is waited for so long."""

MOST_CHARTS = 500  # of one transaction


@dataclass(frozen=True, slots=True)
class Sight:
    """How far one input partition has been seen.

    *caught_up_ms*: when the broker last said that nothing is left to read, None if something is.
    *received_ms*: when the last handled record came, None before the first.
    """

    caught_up_ms: int | None
    received_ms: int | None


def lane_time(sights: Sequence[Sight]) -> datetime | None:
    """The moment up to which everything that came is known; None if that cannot be said.

    Not simply now: after an outage the sets of the last hour are still in the log, and "signal overdue"
    for every bed would be said of a silence that was ours. A partition that lags holds the time back to
    the last record handled of it.
    """
    if not sights:
        return None
    until = [sight.received_ms if sight.caught_up_ms is None else sight.caught_up_ms for sight in sights]
    known = [ms for ms in until if ms is not None]
    return from_ms(min(known)) - GRACE if len(known) == len(until) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timers:
    """One pass at a time; the loop is at the edge."""

    pipeline: Pipeline
    metrics: Metrics
    turn: asyncio.Lock
    sights: Callable[[], Sequence[Sight]]
    lanes: Callable[[], Iterable[int]]
    wake: Callable[[Iterable[int]], None]

    async def timers_pass(self) -> int:
        """Let time pass for every chart that is due; returns how many were."""
        started = time.perf_counter()
        await self._tick_wards()
        ticks = 0
        while True:
            done, found = await self._tick()
            ticks += done
            if found < MOST_CHARTS or not done:
                break
        self.metrics.timers_pass_seconds.observe(time.perf_counter() - started)
        return ticks

    async def _tick(self) -> tuple[int, int]:
        """Handle up to MOST_CHARTS of our lanes; returns how many were ticked, and how many had been found due."""
        async with self.turn:
            # Both are read under the turn: no batch is half way, and a lane that was lost while the turn was
            # waited for is not ticked with the time of the partitions that are ours now.
            lanes, at = sorted(self.lanes()), lane_time(self.sights())
            if at is None:
                return 0, 0
            keys = await self._due(lanes, at)
            if not keys:
                return 0, 0
            outcome = await self.pipeline.handle_ticks(keys, at)
        self.wake(outcome.lanes)
        count_ticks(self.metrics, outcome)
        return outcome.ticks, len(keys)

    async def _tick_wards(self) -> None:
        """What a ward was told for long enough ends; wards are few, and seldom due."""
        async with self.turn:
            lanes, at = sorted(self.lanes()), lane_time(self.sights())
            if at is None:
                return
            async with unit_of_work(self.pipeline.engine) as work:
                due = await work.wards.due(lanes, at)
            if not due:
                return
            ticks = [WardTick(ward=key.ward, mode=key.mode, at_ms=to_ms(at)) for key in due]
            outcome = await self.pipeline.tell_wards(partial(_all_of, ticks))
        self.wake(outcome.lanes)
        count_ticks(self.metrics, outcome)

    async def _due(self, lanes: Sequence[int], at: datetime) -> list[ChartKey]:
        async with unit_of_work(self.pipeline.engine) as work:
            return await work.charts.due(lanes, at, MOST_CHARTS)


async def _all_of(ticks: Sequence[WardTick], _: UnitOfWork) -> Sequence[WardTick]:
    return ticks
