"""The broker: input logs, lanes written in transactions, fenced producers, cursors and group offsets."""

from collections.abc import Generator
from dataclasses import dataclass, field
from enum import Enum, auto
from random import Random
from typing import NamedTuple

from tests.model.clinic import Alert, Entry

TRANSACTION_TIMEOUT = 120

Steps = Generator[None, None, None]
InputPartition = tuple[str, int]


class FencedError(Exception):
    """Another producer of the same transactional id was started, or the transaction timed out."""


class CoordinatorError(Exception):
    """The coordinator answered with an error: it says nothing about the cursor."""


class NoReplyError(Exception):
    """The request may have been done, or not."""


class State(Enum):
    """Where a transaction stands."""

    OPEN = auto()
    PREPARED = auto()  # decided, but not yet seen: readers wait, the cursor is the old one
    COMMITTED = auto()
    ABORTED = auto()


class Cursor(NamedTuple):
    """How far a lane is published: the number of the last row, and the nonce that row bears."""

    seq: int
    nonce: int | None


class Record(NamedTuple):
    """What stands in an input log."""

    offset: int
    received: int
    entry: Entry


class Published(NamedTuple):
    """What stands in a lane's log."""

    seq: int
    alert: Alert


@dataclass(slots=True, eq=False)
class KafkaTransaction:
    """One transaction of one producer."""

    transactional_id: str
    epoch: int
    began_at: int
    state: State = State.OPEN
    cursor: tuple[int, Cursor] | None = None


@dataclass(slots=True)
class Log:
    """An input partition; what is None was never a record: the marker of somebody's transaction."""

    records: list[Record | None] = field(default_factory=list)
    beginning: int = 0


class Broker:
    """What survives whatever happens to a worker."""

    def __init__(self, rng: Random, lanes: int) -> None:
        self.inputs = {(topic, n): Log() for topic in ("readings", "commands") for n in range(lanes)}
        self.lanes: list[list[tuple[KafkaTransaction, Published]]] = [[] for _ in range(lanes)]
        self.cursors: dict[int, Cursor] = {}
        self.group_offsets: dict[InputPartition, int] = {}
        self.now = 0
        self.unreadable_until = 0
        self.loses_replies = 0.0
        self.rng = rng
        self._epochs: dict[str, int] = {}
        self._current: dict[str, KafkaTransaction] = {}
        self._requests: list[KafkaTransaction] = []

    # ---- input

    def append(self, partition: InputPartition, entry: Entry | None) -> None:
        """Write *entry* with the time of the log; None is a marker that no reader sees."""
        records = self.inputs[partition].records
        records.append(None if entry is None else Record(len(records), self.now, entry))

    # ---- cursors

    def read_cursor(self, lane: int) -> Cursor | None:
        """The committed cursor of *lane*, None if there is none. Raises CoordinatorError."""
        if self.now < self.unreadable_until:
            raise CoordinatorError
        return self.cursors.get(lane)

    def read_committed(self, lane: int) -> list[Published]:
        """What a reader sees of *lane*: up to the first transaction that is undecided, without what was aborted."""
        seen = []
        for transaction, published in self.lanes[lane]:
            if transaction.state in {State.OPEN, State.PREPARED}:
                break
            if transaction.state is State.COMMITTED:
                seen.append(published)
        return seen

    @property
    def is_settled(self) -> bool:
        """Whether no transaction is under way."""
        return not self._current

    # ---- transactions

    def start_producer(self, transactional_id: str) -> int:
        """Fence the former producer of this id, settle what it left, return the new epoch."""
        self._settle(transactional_id)
        epoch = self._epochs[transactional_id] = self._epochs.get(transactional_id, 0) + 1
        return epoch

    def begin(self, transactional_id: str, epoch: int) -> KafkaTransaction:
        """Begin a transaction. Raises FencedError."""
        if self._epochs[transactional_id] != epoch:
            raise FencedError
        transaction = KafkaTransaction(transactional_id, epoch, self.now)
        self._current[transactional_id] = transaction
        return transaction

    def send(self, transaction: KafkaTransaction, lane: int, published: Published) -> None:
        """Write to *lane*. Raises FencedError."""
        self._check(transaction)
        self.lanes[lane].append((transaction, published))

    def commit(self, transaction: KafkaTransaction) -> Steps:
        """Commit; a request that was sent is carried out even if its sender is gone."""
        yield
        self._requests.append(transaction)
        if self.rng.random() < 0.7:
            self.work()
        while transaction.state in {State.OPEN, State.PREPARED}:
            yield
        if self.rng.random() < self.loses_replies:
            raise NoReplyError
        if transaction.state is State.ABORTED:
            raise FencedError

    def work(self) -> None:
        """Do one of the things that a broker does in its own time."""
        for transaction in list(self._current.values()):
            if transaction.state is State.PREPARED:
                if self.rng.random() < 0.5:
                    self._settle(transaction.transactional_id)
            elif self.now - transaction.began_at > TRANSACTION_TIMEOUT:
                self.start_producer(transaction.transactional_id)
        if self._requests:
            transaction = self._requests.pop(int(self.rng.random() * len(self._requests)))
            if transaction.state is State.OPEN:
                transaction.state = State.PREPARED
            if self.rng.random() < 0.7 and self._current.get(transaction.transactional_id) is transaction:
                self._settle(transaction.transactional_id)

    def _check(self, transaction: KafkaTransaction) -> None:
        if (
            self._epochs[transaction.transactional_id] != transaction.epoch
            or transaction.state is not State.OPEN
        ):
            raise FencedError

    def _settle(self, transactional_id: str) -> None:
        transaction = self._current.pop(transactional_id, None)
        if transaction is None:
            return
        if transaction.state is State.OPEN:
            transaction.state = State.ABORTED
            return
        transaction.state = State.COMMITTED
        if transaction.cursor is not None:
            lane, cursor = transaction.cursor
            self.cursors[lane] = cursor
