"""The database: rows, row locks and READ COMMITTED, connections that are cut and commits nobody hears of."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any

LOCK_TIMEOUT = 60

Key = tuple[Any, ...]
Steps = Generator[None, None, None]


class ConnectionLostError(Exception):
    """The connection was cut, a time-out struck, or the answer to a commit never came."""


class DeadlockError(Exception):
    """Two transactions wait for each other: the order in which rows are locked is wrong."""


class Database:
    """What is committed, and who is about to commit."""

    def __init__(self, rng: Random) -> None:
        self.rows: dict[Key, Any] = {}
        self.open: set[Transaction] = set()
        self.locks: dict[Key, Transaction] = {}
        self.loses_replies = 0.0
        self.rng = rng
        self.sequences: dict[int, int] = {}
        self._nonces = 0
        self._requests: list[Transaction] = []

    @contextmanager
    def begin(self, owner: object) -> Iterator["Transaction"]:
        """Begin a transaction; what is not committed at the end of the block is rolled back."""
        transaction = Transaction(self, owner)
        self.open.add(transaction)
        try:
            yield transaction
        finally:
            if not transaction.is_sent:
                transaction.end()

    def cut(self, owner: object) -> None:
        """Cut the connections of *owner*; a commit that was sent may be carried out all the same."""
        for transaction in [each for each in self.open if each.owner is owner]:
            transaction.cut()

    def restore(self, backup: dict[Key, Any]) -> None:
        """Put *backup* in the place of everything."""
        for transaction in list(self.open):
            transaction.cut()
        self.rows = dict(backup)
        self._requests.clear()

    def nonce(self) -> int:
        """A number that is never given twice, whatever is restored."""
        self._nonces += 1
        return self._nonces

    def next_of_sequence(self, lane: int) -> int:
        """What PostgreSQL's nextval gives: it knows nothing of transactions."""
        self.sequences[lane] = self.sequences.get(lane, 0) + 1
        return self.sequences[lane]

    def request(self, transaction: "Transaction") -> None:
        """Have *transaction* committed, now or in the database's own time."""
        self._requests.append(transaction)
        if self.rng.random() < 0.7:
            self.work()

    def work(self) -> None:
        """Carry out one commit that was asked for."""
        if self._requests:
            self._requests.pop(int(self.rng.random() * len(self._requests))).carry_out()


class Transaction:
    """Reads see what is committed at that moment, and its own writes."""

    __slots__ = ("_database", "_held", "_is_cut", "_is_lost", "_waits_for", "_writes", "is_sent", "owner")

    def __init__(self, database: Database, owner: object) -> None:
        self.owner = owner
        self.is_sent = False
        self._database = database
        self._held: list[Key] = []
        self._writes: dict[Key, Any] = {}
        self._is_cut = False
        self._is_lost = False
        self._waits_for: Transaction | None = None

    def get(self, key: Key) -> Any:
        """The row of *key* as it is now, None if there is none."""
        if self._is_cut:
            raise ConnectionLostError
        return self._writes[key] if key in self._writes else self._database.rows.get(key)

    def put(self, key: Key, row: Any) -> None:
        """Write a row."""
        if self._is_cut:
            raise ConnectionLostError
        self._writes[key] = row

    def lock(self, keys: Sequence[Key]) -> Steps:
        """Lock rows one after the other; a row that is not there is locked as its insertion would be."""
        locks = self._database.locks
        for key in keys:
            waited = 0
            while (holder := locks.get(key)) is not None and holder is not self:
                self._wait_for(holder)
                waited += 1
                yield
                if self._is_cut or waited > LOCK_TIMEOUT:
                    raise ConnectionLostError
            self._waits_for = None
            if self._is_cut:
                raise ConnectionLostError
            if holder is None:
                locks[key] = self
                self._held.append(key)

    def commit(self) -> Steps:
        """Commit. Raises ConnectionLostError where the outcome is not known, or is known to be none."""
        yield
        if self._is_cut:
            raise ConnectionLostError
        self.is_sent = True
        self._database.request(self)
        while self in self._database.open:
            yield
        if self._is_lost or self._database.rng.random() < self._database.loses_replies:
            raise ConnectionLostError

    def carry_out(self) -> None:
        """Make the writes everybody's."""
        if not self._is_cut:
            self._database.rows.update(self._writes)
            self.end()

    def cut(self) -> None:
        """Lose the connection. A commit under way has happened or has not."""
        if self.is_sent and self._database.rng.random() < 0.5:
            self._database.rows.update(self._writes)
        self._is_cut = self._is_lost = True
        self.end()

    def end(self) -> None:
        """Let go of all rows."""
        self._database.open.discard(self)
        self._waits_for = None
        for key in self._held:
            del self._database.locks[key]
        self._held.clear()

    def _wait_for(self, holder: "Transaction") -> None:
        self._waits_for = holder
        while holder._waits_for is not None:
            holder = holder._waits_for
            if holder is self:
                raise DeadlockError
