"""Publishing: what the outbox holds beyond the cursor goes out with the cursor, in one Kafka transaction."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tests.model.broker import (
    Broker,
    CoordinatorError,
    Cursor,
    FencedError,
    KafkaTransaction,
    NoReplyError,
    Published,
    Steps,
)
from tests.model.charting import Row
from tests.model.database import ConnectionLostError, Transaction
from tests.model.defects import Defect

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.model.workers import Worker

_MOST_RECORDS = 3
_STOPPED_PASSES = 8


class LaneStoppedError(Exception):
    """What is out and what is stored do not fit; a person must mend it."""


class LaneChangedError(Exception):
    """The lane has been repaired: take it anew."""


class Producer:
    """A transactional producer, from its start on."""

    def __init__(self, broker: Broker, transactional_id: str) -> None:
        self._broker = broker
        self._id = transactional_id
        self._epoch = broker.start_producer(transactional_id)

    def begin(self) -> KafkaTransaction:
        """Begin a transaction. Raises FencedError."""
        return self._broker.begin(self._id, self._epoch)


def keep_lane(worker: "Worker", lane: int) -> Steps:
    """Hold *lane* for ever; after any error the producer is thrown away and the lane taken anew."""
    while True:
        yield
        if not worker.may_take:
            continue
        try:
            yield from _Publisher(worker, lane).hold()
        except LaneStoppedError:
            worker.world.lane_stopped(lane)
            for _ in range(_STOPPED_PASSES):
                yield
        except (CoordinatorError, ConnectionLostError, FencedError, NoReplyError, LaneChangedError) as error:
            worker.world.saw(f"publisher: {type(error).__name__}")


def read_cursor(broker: Broker, lane: int) -> "Generator[None, None, Cursor | None]":
    """Read the cursor, asking again until the answer bears no error."""
    while True:
        yield
        try:
            return broker.read_cursor(lane)
        except CoordinatorError:
            continue


class _Publisher:
    """One holder of a lane."""

    def __init__(self, worker: "Worker", lane: int) -> None:
        self._worker = worker
        self._world = worker.world
        self._lane = lane
        self._cursor = Cursor(0, None)
        self._epoch = 0

    def hold(self) -> Steps:
        """Take the lane, the producer's start before anything is read, and publish until an error."""
        cursor_first = self._world.planted is Defect.CURSOR_BEFORE_START
        if cursor_first:
            yield from self._take_cursor()
            yield
        per_worker = self._world.planted is Defect.ID_PER_WORKER
        producer = Producer(
            self._world.broker, f"{self._worker.name}.{self._lane}" if per_worker else str(self._lane)
        )
        with self._world.database.begin(self._worker) as transaction:
            yield
            self._epoch = transaction.get(("lane", self._lane)).epoch
        if not cursor_first:
            yield from self._take_cursor()
        with self._world.database.begin(self._worker) as transaction:
            self._check(transaction)
        yield from self._publish(producer, [])
        self._world.stopped.discard(self._lane)
        if self._world.planted is Defect.FROM_MEMORY:
            yield from self._publish_from_memory(producer)
        while True:
            yield from self._pass(producer)

    def _take_cursor(self) -> Steps:
        if self._world.planted is Defect.ERROR_IS_ABSENCE:
            yield
            try:
                cursor = self._world.broker.read_cursor(self._lane)
            except CoordinatorError:
                cursor = None
        else:
            cursor = yield from read_cursor(self._world.broker, self._lane)
            if cursor is None and self._world.broker.lanes[self._lane]:
                raise LaneStoppedError
        with self._world.database.begin(self._worker) as transaction:
            yield
            row = transaction.get(("outbox", self._lane, 0))
            self._cursor = cursor or Cursor(0, row and row.nonce)

    def _check(self, transaction: Transaction) -> None:
        """See that nobody has repaired the lane, and that the database is the one the cursor was set by."""
        planted = self._world.planted
        if transaction.get(("lane", self._lane)).epoch != self._epoch:
            raise LaneChangedError
        if planted is Defect.NONCE_NOT_CHECKED or (
            planted is Defect.ZERO_NOT_CHECKED and not self._cursor.seq
        ):
            return
        row = transaction.get(("outbox", self._lane, self._cursor.seq))
        if row is None or row.nonce != self._cursor.nonce:
            raise LaneStoppedError

    def _pass(self, producer: Producer) -> Steps:
        """Read what lies beyond the cursor, never from memory; what is out already is left out."""
        yield
        with self._world.database.begin(self._worker) as transaction:
            self._check(transaction)
            yield
            rows = self._beyond(transaction)
            yield
            noted = transaction.get(("noted", self._lane)) or frozenset()
        if rows:
            yield from self._publish(producer, rows, noted)
        elif self._world.rng.random() < 0.1:
            yield from self._publish(producer, [])  # a heartbeat

    def _beyond(self, transaction: Transaction) -> list[Row]:
        """The rows beyond the cursor, in one statement. Raises LaneStoppedError if a number is missing."""
        first = self._cursor.seq + 1
        if self._world.planted is Defect.SEQ_FROM_SEQUENCE:
            last = self._world.database.sequences.get(self._lane, 0)
        else:
            last = min(first + _MOST_RECORDS - 1, transaction.get(("lane", self._lane)).last_seq)
        rows = [transaction.get(("outbox", self._lane, seq)) for seq in range(first, last + 1)]
        found = [row for row in rows if row is not None]
        if len(found) < len(rows) and self._world.planted is not Defect.SEQ_FROM_SEQUENCE:
            raise LaneStoppedError
        return found

    def _publish_from_memory(self, producer: Producer) -> Steps:
        """The defect: what the table holds is published once, and then only what this worker says itself."""
        memory = self._worker.memory.setdefault(self._lane, [])
        yield from self._pass(producer)
        while True:
            yield
            rows = [row for row in memory if row.seq > self._cursor.seq]
            memory.clear()
            if rows:
                yield from self._publish(producer, rows)

    def _publish(
        self, producer: Producer, rows: Sequence[Row], noted: frozenset[object] = frozenset()
    ) -> Steps:
        """Send *rows* and the cursor after them; without rows it is a heartbeat, which also bears the cursor."""
        broker = self._world.broker
        after = Cursor(rows[-1].seq, rows[-1].nonce) if rows else self._cursor
        transaction = producer.begin()
        for row in rows:
            if row.alert is not None and row.alert not in noted:
                broker.send(transaction, self._lane, Published(row.seq, row.alert))
                yield
        is_marked_later = self._world.planted is Defect.PUBLISH_THEN_MARK
        if not is_marked_later:
            transaction.cursor = self._lane, after
        yield from broker.commit(transaction)
        if is_marked_later:
            yield
            broker.cursors[self._lane] = after
        self._cursor = after
