"""Intake: which records are taken in and from where, so that each is handled once whatever happens in between."""

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, KafkaTimeoutError

from persistence.errors import LostClaimError, is_transient
from persistence.unit_of_work import unit_of_work
from worker.accounting import count_batch, count_database_error, count_losses
from worker.batches import Batch, Run, halves, parts, read_batch, size_of
from worker.contact import Contact
from worker.errors import OperatorError
from worker.input_losses import losses_of, pass_over
from worker.messages import Record, Refusal, RefusalReason
from worker.messages.records import correlation_of
from worker.observability.labels import LoopPhase, PauseReason
from worker.observability.metrics import Metrics
from worker.pipeline import Pipeline
from worker.positions import (
    Fit,
    Pace,
    Position,
    Recovery,
    fit,
    most_after,
    not_yet_handled,
    pause_after,
    recover,
)
from worker.sights import sight_of
from worker.stream_breaker import StreamBreaker
from worker.timers import Sight
from worker.topics import TopicNames

_ATTEMPTS = 2  # at a batch that our own code or the database refuses, before it is halved
_MOST_GIVEN_UP = 20  # records in a row that could not be stored: then it is not the records
_RECOVERY_SECONDS = 10.0
_BEYOND_SECONDS = 5.0  # how long progress may lie beyond a partition's end before that is taken for a fact

log = structlog.get_logger(__name__)


class Source(Protocol):
    """Who has the consumer: FastStream's subscriber."""

    consumer: AIOKafkaConsumer | None


class Intake:
    """The input partitions of this worker, and how far each has been worked through.

    *turn* is held by whoever changes charts: a batch, or a pass over the timers, never both at once.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        names: TopicNames,
        metrics: Metrics,
        wake: Callable[[Iterable[int]], None],
        breaker: StreamBreaker,
    ) -> None:
        self.turn = asyncio.Lock()
        self.source: Source | None = None  # set once: the subscriber needs us first
        self.paused_for: PauseReason | None = None
        self.is_closing = False
        self.contact = Contact()
        self._pipeline = pipeline
        self._names = names
        self._metrics = metrics
        self._wake = wake
        self._breaker = breaker
        self._positions: dict[TopicPartition, Position] = {}
        self._must_recover = asyncio.Event()
        self._in_hand: Sequence[Record] = ()
        self._failures = 0
        self._pace = Pace()
        self._beyond_since: float | None = None
        self._given_up = 0
        self._handled_at = time.monotonic()

    @property
    def consumer(self) -> AIOKafkaConsumer | None:
        """The consumer, None before the subscriber has made it."""
        return None if self.source is None else self.source.consumer

    # ---- what the group's coordinator says; called from within the client, so none of it awaits

    def assigned(self, partitions: Iterable[TopicPartition]) -> None:
        """These partitions are ours now; none is read from before its position has been looked up."""
        self._breaker.forget()
        self.start_over(partitions)

    def revoked(self) -> None:
        """Nothing is ours until the next assignment."""
        self._positions.clear()

    def start_over(self, partitions: Iterable[TopicPartition] | None = None) -> None:
        """Forget where we are, stop reading, and look it up again."""
        self._positions.clear()
        if self.consumer is not None:
            self.consumer.pause(*(self.consumer.assignment() if partitions is None else partitions))
        self._must_recover.set()

    # ---- a batch

    async def take(self, records: Sequence[Record]) -> None:
        """Handle what the consumer handed over; nothing escapes, and what is not handled will come again."""
        self._in_hand = records
        self.contact.is_busy(time.time())
        try:
            async with self.turn:
                if not self.is_closing:
                    await self._handle(records)
        finally:
            self._in_hand = ()
            self.contact.is_done(time.time())

    async def _handle(self, records: Sequence[Record]) -> None:
        try:
            if not (runs := await self._accepted(records)):
                return
            # What was too much at once may pass bit by bit, and nobody who waits for a part waits for long.
            for part in parts(runs, self._most):
                if self.is_closing:
                    return  # what is left is the successor's
                await self._store(part)
                self._failures = max(0, self._failures - 1)
            if self.consumer is not None:
                await self._breaker.trip(self.consumer)
        except LostClaimError:
            self._metrics.claims_lost.inc()
            log.warning("claim_lost", records=len(records))
            self._fail(None)
        except Exception as error:  # noqa: BLE001  whatever it was: nothing is lost, it is tried again
            count_database_error(self._metrics, error)
            log.warning("batch_failed", error=type(error).__name__, failures=self._failures + 1)
            self._fail(PauseReason.BROKER if isinstance(error, KafkaError) else PauseReason.DATABASE)
        else:
            self._failures = 0

    def _most(self) -> int:
        """How many records to try at once: fewer after failures, and again more with each part that has passed."""
        return min(most_after(self._failures), self._pace.most)

    def _fail(self, reason: PauseReason | None) -> None:
        self._failures += 1
        self.paused_for = reason
        self.start_over()

    async def _store(self, runs: Sequence[Run]) -> None:
        """Handle *runs*; what our own code or the database refuses is narrowed down to the one record."""
        for attempt in range(1, _ATTEMPTS + 1):
            started = time.perf_counter()
            batch = await read_batch(runs, self._names.commands)
            self._metrics.loop_seconds.labels(phase=LoopPhase.DECODE).inc(time.perf_counter() - started)
            try:
                return await self._commit_batch(batch, started)
            except Exception as error:
                if isinstance(error, LostClaimError) or is_transient(error):
                    raise
                count_database_error(self._metrics, error)
                log.exception("batch_refused", records=batch.size, attempt=attempt)
        if size_of(runs) > 1:
            for half in halves(runs):
                await self._store(half)
            return None
        return await self._give_up(runs[0])

    async def _give_up(self, run: Run) -> None:
        """Make a dead letter of the one record that cannot be stored."""
        self._given_up += 1
        if self._given_up > _MOST_GIVEN_UP:
            raise RuntimeError("too many records in a row could not be stored: it is not the records")
        record = run.records[0]
        refusal = Refusal(reason=RefusalReason.NOT_STORED, correlation_id=correlation_of(record))
        batch = Batch([run], self._names.commands, refused=[(record, refusal)])
        await self._commit_batch(batch, time.perf_counter())

    async def _commit_batch(self, batch: Batch, started: float) -> None:
        outcome = await self._pipeline.handle_batch(batch)
        self._pace.learn(batch.size, time.perf_counter() - started)
        self._wake(outcome.lanes)
        self._move_on(batch)
        self._breaker.note(batch)
        if batch.items:
            self._given_up = 0
        count_batch(self._metrics, batch, outcome, seconds=time.perf_counter() - started, now=time.time())

    def _move_on(self, batch: Batch) -> None:
        self._handled_at = time.monotonic()
        for run in batch.runs:
            position = self._positions.get(TopicPartition(run.topic, run.partition))
            if position is not None:
                position.stored = position.expected = run.claim.following
                position.received_ms = run.records[-1].timestamp
                position.suspect = None

    # ---- which records fit

    async def _accepted(self, records: Sequence[Record]) -> list[Run]:
        """Those of *records* that come next in their partition; for the others the consumer is set back."""
        by_partition: dict[TopicPartition, list[Record]] = {}
        for record in records:
            by_partition.setdefault(TopicPartition(record.topic, record.partition), []).append(record)
        runs = [await self._run(partition, some) for partition, some in by_partition.items()]
        return [run for run in runs if run is not None]

    async def _run(self, partition: TopicPartition, records: Sequence[Record]) -> Run | None:
        position = self._positions.get(partition)
        if position is None:
            return None  # not looked up yet: what is handed over too early comes again
        if partition in self._breaker.paused:
            if self.consumer is not None:
                await self._breaker.look_at(self.consumer, partition, records, position.expected)
            return None
        records = not_yet_handled(position, records)
        if not records:
            return None
        first = records[0].offset
        match fit(position, first):
            case Fit.ASK_AGAIN:
                position.suspect = first
                self._seek(partition, position.expected)
                return None
            case Fit.GAP:
                if await self._is_lost(partition, position.expected):
                    self.start_over()  # the loss is told and passed over by whoever looks up positions
                    return None
            case Fit.FITS:
                pass
        return Run(partition.topic, partition.partition, position.stored, records)

    def _seek(self, partition: TopicPartition, offset: int) -> None:
        if self.consumer is not None and partition in self.consumer.assignment():
            self.consumer.seek(partition, offset)

    async def _is_lost(self, partition: TopicPartition, offset: int) -> bool:
        """Whether *offset* is no longer in the log; otherwise no record was ever there, only a transaction's mark."""
        if self.consumer is None:
            return False
        try:
            async with asyncio.timeout(_RECOVERY_SECONDS):
                beginnings = await self.consumer.beginning_offsets([partition])
        except TimeoutError:
            raise KafkaTimeoutError from None
        return bool(beginnings[partition] > offset)

    # ---- where to go on

    async def keep_recovered(self) -> None:
        """Whenever positions are forgotten, look them up, with growing pauses while that fails."""
        while True:
            await self._must_recover.wait()
            if self._failures:
                await asyncio.sleep(pause_after(self._failures, random.random()))  # noqa: S311
            await self.recover_pass()

    async def recover_pass(self) -> None:
        """Look up where to go on in every partition that is ours. Raises OperatorError if that cannot be right."""
        async with self.turn:
            self._must_recover.clear()
            try:
                async with asyncio.timeout(_RECOVERY_SECONDS):
                    await self._recover()
            except OperatorError as error:
                self._wait_or_give_up(error)
            except Exception as error:  # noqa: BLE001  broker or database are away: again, later
                count_database_error(self._metrics, error)
                self._failures += 1
                self.paused_for = PauseReason.DATABASE if is_transient(error) else PauseReason.BROKER
                log.warning("recovery_failed", error=type(error).__name__, failures=self._failures)
                self._must_recover.set()

    def _wait_or_give_up(self, error: OperatorError) -> None:
        """Ask again for a while: just after a partition's leader has changed its end may lag behind what was read."""
        now = time.monotonic()
        self._beyond_since = self._beyond_since or now
        if now - self._beyond_since > _BEYOND_SECONDS:
            raise error
        self._failures += 1
        self.paused_for = PauseReason.BROKER
        log.warning("progress_beyond_the_log", failures=self._failures)
        self._must_recover.set()

    async def _recover(self) -> None:
        consumer = self.consumer
        partitions = sorted(consumer.assignment()) if consumer is not None else []
        if consumer is None or not partitions:
            return
        # The database first: another worker may go on meanwhile, and be ahead of an end that was asked for before.
        async with unit_of_work(self._pipeline.engine) as work:
            stored = await work.progress.next_offsets(partitions)
            await self._breaker.restore(work, partitions)
        beginnings = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
        found = {
            partition: recover(
                stored.get((partition.topic, partition.partition)),
                beginnings[partition],
                ends[partition],
                partition=f"{partition.topic}/{partition.partition}",
            )
            for partition in partitions
        }
        if lost := [partition for partition in partitions if found[partition].gap]:
            await self._pass_over(consumer, {partition: found[partition] for partition in lost})
        if self._must_recover.is_set():
            return  # assigned anew meanwhile
        for partition in partitions:
            position = found[partition].position
            consumer.seek(partition, position.expected)
            self._positions[partition] = position
        self._beyond_since = None
        self.paused_for = None
        consumer.resume(*(partition for partition in partitions if partition not in self._breaker.paused))
        self.contact.asks(time.time())
        log.info("positions_recovered", partitions=len(partitions))

    async def _pass_over(self, consumer: AIOKafkaConsumer, found: Mapping[TopicPartition, Recovery]) -> None:
        """Tell the wards what was deleted before it was read, and move on to where the log begins now."""
        firsts = await consumer.offsets_for_times(dict.fromkeys(found, 0))
        losses = losses_of(found, firsts, datetime.now(UTC))
        outcome = await self._pipeline.tell_wards(
            partial(pass_over, losses=losses, lanes=self._pipeline.lanes)
        )
        self._wake(outcome.lanes)
        for recovery in found.values():
            recovery.position.stored = recovery.position.expected
        count_losses(self._metrics, losses, outcome)

    async def look_pass(self) -> None:
        """Look at the partitions that are paused because nothing on them can be used, if it is time."""
        async with self.turn, asyncio.timeout(_RECOVERY_SECONDS):
            if self.consumer is not None:
                await self._breaker.look_pass(self.consumer, self._positions)

    async def reconcile_pass(self, *, idle_seconds: float) -> None:
        """When nothing has come for a while, see that the database still holds what we think it does."""
        if self.seconds_since_stored < idle_seconds or not self._positions:
            return
        async with self.turn:
            known = dict(self._positions)
            async with asyncio.timeout(_RECOVERY_SECONDS), unit_of_work(self._pipeline.engine) as work:
                stored = await work.progress.next_offsets(known)
            differs = [
                p for p, position in known.items() if stored.get((p.topic, p.partition)) != position.stored
            ]
            if differs and self._positions.keys() == known.keys():
                log.warning("progress_differed", partitions=len(differs))
                self.start_over()

    # ---- what can be seen from outside

    @property
    def seconds_since_stored(self) -> float:
        """How long nothing has been stored."""
        return time.monotonic() - self._handled_at

    @property
    def positions(self) -> dict[TopicPartition, Position]:
        """How far each partition that is ours has been worked through."""
        return dict(self._positions)

    @property
    def paused(self) -> frozenset[TopicPartition]:
        """The partitions that are paused because nothing on them can be used."""
        return self._breaker.paused

    def unanswered(self) -> int:
        """For how many of the partitions that are read from the broker has not answered for a while."""
        consumer = self.consumer
        if consumer is None or not self._positions:
            return 0
        asked = consumer.assignment() - consumer.paused() - self._breaker.paused
        polls = [consumer.last_poll_timestamp(partition) for partition in asked]
        return self.contact.look([None if at is None else at / 1000 for at in polls], time.time())

    def sights(self) -> list[Sight]:
        """What the clock of the timers goes by; nothing if it would be our silence, or the producers'."""
        self.unanswered()
        return list(self.each_sight().values()) if self.contact.is_settled(time.time()) else []

    def each_sight(self) -> dict[TopicPartition, Sight]:
        """How far the log of each assigned partition has been seen."""
        consumer = self.consumer
        if consumer is None:
            return {}
        in_hand = {TopicPartition(record.topic, record.partition) for record in self._in_hand}
        return {
            partition: sight_of(
                consumer,
                partition,
                self._positions.get(partition),
                is_in_hand=partition in in_hand,
                is_paused=partition in self._breaker.paused,
            )
            for partition in consumer.assignment()
        }
