"""Lanes: which one a patient belongs to, and how this worker holds those that are assigned to it."""

import asyncio
import random
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache

import structlog
from aiokafka.errors import MessageSizeTooLargeError, RecordListTooLargeError
from aiokafka.partitioner import murmur2

from worker.errors import LaneChangedError, LaneStoppedError
from worker.messages.sizes import LARGEST_RECORD, SMALLEST_LIMIT
from worker.positions import pause_after
from worker.publisher import LanePublisher, Publishing

POLL_SECONDS = 0.2
"""How often a lane is looked at without being woken: another worker may have written into it."""

_JITTER_SECONDS = 0.1
_STOPPED_SECONDS = 5.0
_POSITIVE = 0x7FFFFFFF
_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)

log = structlog.get_logger(__name__)


@lru_cache(maxsize=65_536)
def lane_of(key: str, lanes: int) -> int:
    """The lane that *key* (a patient, a ward) belongs to: the partition the Java client's default would pick."""
    return int(murmur2(key.encode()) & _POSITIVE) % lanes


class LaneKeeper:
    """Keeps one lane: takes it, publishes whenever it is woken, and takes it again after any error."""

    def __init__(self, lane: int, shared: Publishing) -> None:
        self.lane = lane
        self.is_held = False
        self.stopped_because: str | None = None
        self.may_take = asyncio.Event()
        self.publisher: LanePublisher | None = None
        self._shared = shared
        self._woken = asyncio.Event()
        self._is_closing = False
        self._largest = LARGEST_RECORD
        self._failures = 0
        self.task = asyncio.create_task(self._keep(), name=f"lane-{lane}")

    def wake(self) -> None:
        """Something was written into the lane: publish it now."""
        self._woken.set()

    async def drain(self) -> None:
        """Publish what is committed, then let go of the lane."""
        self._is_closing = True
        self._woken.set()
        if not self.is_held:
            self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task

    async def drop(self) -> None:
        """Let go of the lane at once."""
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task

    async def _keep(self) -> None:
        while not self._is_closing:
            await self.may_take.wait()
            await asyncio.sleep(self._pause())
            publisher = self.publisher = LanePublisher(self.lane, self._shared, self._largest)
            try:
                if self.stopped_because is not None:
                    await publisher.look()
                await self._hold(publisher)
            except LaneStoppedError as error:
                self._stop(error)
            except LaneChangedError:
                log.info("lane_retaken", lane=self.lane)
            except _TOO_LARGE:
                self._failures += 1
                self._leave_out_more()
            except Exception as error:  # noqa: BLE001  whatever it was, the lane is taken anew
                self._failures += 1
                log.warning("lane_lost", lane=self.lane, error=type(error).__name__, failures=self._failures)
            finally:
                self.is_held = False
                self._report()
                await publisher.discard()

    async def _hold(self, publisher: LanePublisher) -> None:
        await publisher.take()
        self.is_held, self.stopped_because = True, None
        self._report()
        log.info("lane_taken", lane=self.lane, published=publisher.cursor.seq)
        while not self._is_closing:
            await publisher.publish_all()
            self._failures = 0
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._woken.wait()
            self._woken.clear()
        await publisher.publish_all()
        await publisher.close()

    def _stop(self, error: LaneStoppedError) -> None:
        if self.stopped_because is None:
            log.error("lane_stopped", lane=self.lane, reason=str(error))
        self.stopped_because = str(error)

    def _leave_out_more(self) -> None:
        """Send smaller records from now on: how large one may be is set at the broker, and may be changed there."""
        refused, self._largest = self._largest, max(self._largest // 4, SMALLEST_LIMIT)
        log.warning("record_too_large", lane=self.lane, refused=refused, now_at_most=self._largest)

    def _pause(self) -> float:
        """How long to wait before (re)taking: a little, more after failures, long when a person must act."""
        if self.stopped_because is not None:
            return _STOPPED_SECONDS
        chance = random.random()  # noqa: S311  spreads load, guards nothing
        return pause_after(self._failures, chance) if self._failures else chance * _JITTER_SECONDS

    def _report(self) -> None:
        self._shared.metrics.lane_stopped.labels(lane=str(self.lane)).set(self.stopped_because is not None)


class Lanes:
    """The lanes in the present assignment; nothing else is ever taken."""

    def __init__(self, shared: Publishing) -> None:
        self._shared = shared
        self._keepers: dict[int, LaneKeeper] = {}
        self._dropping: set[asyncio.Task[None]] = set()

    @property
    def keepers(self) -> Iterable[LaneKeeper]:
        """One for each assigned lane, held or not."""
        return tuple(self._keepers.values())

    def suspend(self) -> None:
        """Take no lane until the next assignment; go on with those that are held."""
        for keeper in self._keepers.values():
            keeper.may_take.clear()

    def assign(self, lanes: Iterable[int]) -> None:
        """Hold exactly *lanes* from now on; does not wait."""
        wanted = set(lanes)
        for lane in self._keepers.keys() - wanted:
            self._let_go(self._keepers.pop(lane))
        for lane in wanted:
            keeper = self._keepers.get(lane)
            if keeper is None:
                keeper = self._keepers[lane] = LaneKeeper(lane, self._shared)
            keeper.may_take.set()

    def wake(self, lanes: Iterable[int]) -> None:
        """Something was written into *lanes*: those of them that are ours publish now."""
        for lane in lanes:
            if (keeper := self._keepers.get(lane)) is not None:
                keeper.wake()

    async def drain(self, seconds: float) -> None:
        """Publish what is committed and let go of every lane, in at most *seconds*."""
        keepers = list(self._keepers.values())
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(keeper.drain() for keeper in keepers))
        await asyncio.gather(*(keeper.drop() for keeper in keepers), *self._dropping)
        self._keepers.clear()

    def _let_go(self, keeper: LaneKeeper) -> None:
        task = asyncio.create_task(keeper.drop())
        self._dropping.add(task)
        task.add_done_callback(self._dropping.discard)
        self._shared.metrics.forget_lane(keeper.lane)
