"""One lane's publisher: what the outbox holds beyond the cursor goes out, and the cursor moves, in one Kafka transaction."""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, ProducerFenced
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.alarms import Priority
from persistence.errors import OutboxGapError
from persistence.lanes import Standing
from persistence.outbox import MARKER, OutboxRow, OutgoingRecord
from persistence.unit_of_work import UnitOfWork, unit_of_work
from worker.cursor_watch import CursorWatch
from worker.cursors import Cursor, CursorReader, cursor_group, cursor_of_lane
from worker.errors import LaneChangedError, LaneStoppedError
from worker.fault_points import FaultPoint, passing
from worker.internals import discard
from worker.messages.sizes import LARGEST_RECORD, fitted
from worker.observability.labels import LoopPhase, TransactionOutcome
from worker.observability.metrics import Metrics
from worker.record_ids import record_id_of
from worker.topics import TopicNames

MOST_RECORDS = 500
"""Of one transaction; what comes meanwhile goes with the next."""

WATCH_SECONDS = 1.0
"""How often the cursor is looked at while nothing is published."""

TAKE_SECONDS = 15.0  # a coordinator that has just moved takes its time
TRANSACTION_SECONDS = 10.0
REPAIR = "vigil lanes repair"
_ALERTS = ("alerts", "alerts_test")
_PRIORITY_WORD = {int(priority): priority.word for priority in Priority}


@dataclass(frozen=True, slots=True, kw_only=True)
class Publishing:
    """What every lane's publisher of this worker shares."""

    engine: AsyncEngine
    names: TopicNames
    group: str
    metrics: Metrics
    make_producer: Callable[
        [int, int], AIOKafkaProducer
    ]  # for a lane and records of so many bytes; not started
    heartbeat: Callable[
        [int, int, int], OutgoingRecord
    ]  # of a lane: the numbers last published and last given
    heartbeat_interval: float


class LanePublisher:
    """Publishes one lane, from its taking until the first error; then it is thrown away and another made."""

    def __init__(self, lane: int, shared: Publishing, largest: int = LARGEST_RECORD) -> None:
        """*largest* is how many bytes a record may have; dead letters that have more leave some of it out."""
        self.lane = lane
        self._largest = largest
        self.cursor = Cursor()
        self._shared = shared
        self._producer = shared.make_producer(lane, largest)
        self._partition = TopicPartition(shared.names.alerts, lane)
        reader = CursorReader(self._producer.client, shared.group, self._partition)
        self._watch = CursorWatch(shared.engine, lane, reader)
        self._watched_at = 0.0
        self._before = Cursor()  # what the cursor was before our last transaction
        self._epoch = 0
        self.heartbeat_at = 0.0  # wall clock; 0 before the first

    async def take(self) -> None:
        """Make the lane ours. Raises LaneStoppedError if what is out and what is stored do not fit.

        The producer's start comes before anything is read: it fences the former holder and settles what
        that one left open. The first record is a heartbeat, so that a lane that has published anything
        has a cursor.
        """
        async with asyncio.timeout(TAKE_SECONDS):
            await self._producer.start()
            passing(FaultPoint.TAKING_LANE_AFTER_PRODUCER_START)
            async with unit_of_work(self._shared.engine) as work:
                self._epoch = await work.lanes.epoch(self.lane)
            self.cursor = await self._read_cursor()
            passing(FaultPoint.TAKING_LANE_AFTER_CURSOR)
            async with unit_of_work(self._shared.engine) as work:
                standing = await self._check(work)
        await self._publish([], self._shared.heartbeat(self.lane, self.cursor.seq, standing.last_seq))

    async def look(self) -> None:
        """See whether the lane could be taken, without fencing anybody: a repair may be under way.

        Raises LaneStoppedError if what is out and what is stored do not fit.
        """
        async with asyncio.timeout(TAKE_SECONDS):
            await self._producer.client.bootstrap()
            async with unit_of_work(self._shared.engine) as work:
                self._epoch = await work.lanes.epoch(self.lane)
            self.cursor = await self._read_cursor()
            async with unit_of_work(self._shared.engine) as work:
                await self._check(work)
                await self._rows_beyond(work)

    async def publish_all(self) -> int:
        """Publish until nothing is left beyond the cursor; returns how many records went out."""
        published = 0
        while True:
            count = await self.publish_pass()
            published += count
            if count < MOST_RECORDS:
                return published

    async def publish_pass(self) -> int:
        """One pass: read what lies beyond the cursor, never from memory, and publish it in one transaction."""
        async with unit_of_work(self._shared.engine) as work:
            standing = await self._check(work)
            rows = await self._rows_beyond(work)
            out = await _already_out(work, rows) if standing.has_noted_ids else frozenset()
        is_due = time.time() - self.heartbeat_at >= self._shared.heartbeat_interval
        if not rows and not is_due and time.monotonic() - self._watched_at >= WATCH_SECONDS:
            is_due = await self._watch.must_be_written(self.cursor, self._before)
            self._watched_at = time.monotonic()
        if rows or is_due:
            await self._publish(rows, self._heartbeat(rows, standing) if is_due else None, out)
        return len(rows)

    def _heartbeat(self, rows: Sequence[OutboxRow], standing: Standing) -> OutgoingRecord:
        published = rows[-1].seq if rows else self.cursor.seq
        return self._shared.heartbeat(self.lane, published, max(published, standing.last_seq))

    async def close(self) -> None:
        """Let go of the lane in good order, bounded in time."""
        async with asyncio.timeout(TRANSACTION_SECONDS / 5):
            await self._producer.stop()

    async def discard(self) -> None:
        """Let go of the lane at once."""
        await discard(self._producer)

    async def _read_cursor(self) -> Cursor:
        shared = self._shared
        async with unit_of_work(shared.engine) as work:
            birth = (await work.lanes.standing(self.lane, 0)).nonce
        cursor = await cursor_of_lane(self._producer.client, shared.group, shared.names, self.lane, birth)
        if cursor is not None:
            return cursor
        raise LaneStoppedError(
            f"partition {self.lane} of the output topics holds records, but group "
            f"{cursor_group(shared.group)} has no cursor for it; run `{REPAIR} {self.lane}`"
        )

    async def _check(self, work: UnitOfWork) -> Standing:
        """See that nobody has repaired the lane, and that the database is the one the cursor was set by."""
        standing = await work.lanes.standing(self.lane, self.cursor.seq)
        if standing.epoch != self._epoch:
            raise LaneChangedError(f"lane {self.lane} has been repaired")
        if standing.nonce is None or standing.nonce != self.cursor.nonce:
            raise LaneStoppedError(
                f"lane {self.lane} has published number {self.cursor.seq}, but the database holds another record under "
                f"this number, or none: it was restored, or the cursor was reset; run `{REPAIR} {self.lane}`"
            )
        return standing

    async def _rows_beyond(self, work: UnitOfWork) -> Sequence[OutboxRow]:
        try:
            return await work.outbox.beyond(self.lane, self.cursor.seq, MOST_RECORDS)
        except OutboxGapError as error:
            raise LaneStoppedError(f"{error}; run `{REPAIR} {self.lane}`") from error

    async def _publish(
        self,
        rows: Sequence[OutboxRow],
        heartbeat: OutgoingRecord | None,
        out: Collection[int] = frozenset(),
    ) -> None:
        """Publish *rows* but those numbered in *out*; the cursor moves over these as well."""
        started = time.perf_counter()
        after = Cursor(rows[-1].seq, rows[-1].nonce) if rows else self.cursor
        rows = [row for row in rows if row.seq not in out and row.record.topic != MARKER]
        records = [self._addressed(row) for row in rows]
        if heartbeat is not None:
            records.append((self._shared.names.heartbeat, heartbeat, ()))
        try:
            async with asyncio.timeout(TRANSACTION_SECONDS):
                await self._transaction(records, after)
        except ProducerFenced:
            self._count(TransactionOutcome.FENCED)
            raise
        except BaseException:
            self._count(TransactionOutcome.ABORTED)
            raise
        self._before, self.cursor = self.cursor, after
        if heartbeat is not None:
            self.heartbeat_at = time.time()
        self._observe(rows, time.perf_counter() - started)

    async def _transaction(self, records: Sequence["_Addressed"], after: Cursor) -> None:
        """Send *records*, then the cursor *after* them; all of it is out when this returns.

        Every future is awaited before the commit: a transaction commits without a record whose sending
        failed. Nothing is aborted on an error: the caller throws the producer away. The cursor does not go
        beside the records: the broker asks the coordinator whether a record's transaction is under way, and
        while that one writes down the cursor's group it answers no; each refusal costs a pause.
        """
        producer = self._producer
        await producer.begin_transaction()
        futures = []
        for topic, record, further in records:
            future = await producer.send(
                topic, record.value, _key(record), partition=self.lane, headers=[*record.headers, *further]
            )
            future.add_done_callback(_look_at)
            futures.append(future)
        await asyncio.gather(*futures)
        passing(FaultPoint.MID_KAFKA_TRANSACTION)
        cursor = {self._partition: after.as_offset()}
        await producer.send_offsets_to_transaction(cursor, cursor_group(self._shared.group))
        await self._see_that_nobody_else_wrote()
        passing(FaultPoint.BEFORE_KAFKA_COMMIT)
        await producer.commit_transaction()
        passing(FaultPoint.AFTER_KAFKA_COMMIT)

    async def _see_that_nobody_else_wrote(self) -> None:
        """Look at the cursor while ours is on its way: what a tool wrote until now shows, what it writes later outlasts ours.

        Any earlier, and a tool could write between the look and our cursor, which would leave no trace of it. A
        lane that stops here takes back what it was about to say, so that nobody waits for its transaction to end.
        """
        try:
            await self._watch.must_be_written(self.cursor, self._before)
        except LaneStoppedError:
            with suppress(KafkaError):
                await self._producer.abort_transaction()
            raise

    def _addressed(self, row: OutboxRow) -> "_Addressed":
        return (
            self._shared.names.of(row.record.topic),
            fitted(row.record, self._largest),
            (("ce_sequence", b"%020d" % row.seq),),
        )

    def _count(self, outcome: TransactionOutcome) -> None:
        self._shared.metrics.publisher_transactions.labels(outcome=outcome).inc()

    def _observe(self, rows: Sequence[OutboxRow], seconds: float) -> None:
        metrics = self._shared.metrics
        self._count(TransactionOutcome.COMMITTED)
        metrics.publisher_transaction_seconds.observe(seconds)
        metrics.loop_seconds.labels(phase=LoopPhase.PUBLISH).inc(seconds)
        now = datetime.now(UTC)
        for record in (row.record for row in rows):
            if record.topic not in _ALERTS or record.observed_at is None or record.received_at is None:
                continue
            word = _PRIORITY_WORD[record.priority or 1]
            metrics.measurement_to_alert_seconds.labels(priority=word).observe(
                (now - record.observed_at).total_seconds()
            )
            metrics.received_to_alert_seconds.labels(priority=word).observe(
                (now - record.received_at).total_seconds()
            )


def _look_at(future: asyncio.Future[object]) -> None:
    """Take note of how a sending ended, so that one given up half way leaves no complaint in the log."""
    if not future.cancelled():
        future.exception()


async def _already_out(work: UnitOfWork, rows: Sequence[OutboxRow]) -> frozenset[int]:
    """The numbers of those rows that a repair has found to be out under another number."""
    ids = {
        row.seq: record_id_of(row.record.topic, row.record.key, row.record.value, row.record.headers)
        for row in rows
    }
    out = await work.repairs.among(rows[0].lane, set(ids.values())) if rows else set()
    return frozenset(seq for seq, record_id in ids.items() if record_id in out)


def _key(record: OutgoingRecord) -> bytes | None:
    """The record's key; an empty one where key and value are missing, which aiokafka refuses to send."""
    return b"" if record.key is None and record.value is None else record.key


_Addressed = tuple[str, OutgoingRecord, tuple[tuple[str, bytes], ...]]
