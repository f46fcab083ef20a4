"""Repairs of a lane: what is out is noted, what is not is numbered anew behind a marker."""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid4

from persistence.connection import Connection, columns_of, copy
from persistence.errors import RepairedElsewhereError, UnknownLaneError
from persistence.headers import headers_from_json
from persistence.outbox import MARKER, OutgoingRecord

_RAISE_EPOCH = "UPDATE lanes SET epoch = epoch + 1 WHERE lane = $1 RETURNING epoch"
_LOCK = "SELECT epoch, last_seq FROM lanes WHERE lane = $1 FOR UPDATE"
_ROWS = """
SELECT seq, topic, key, value, headers, recorded_at FROM outbox WHERE lane = $1 AND topic <> $2 ORDER BY seq
"""
_COUNT_BEYOND = "SELECT count(*) FROM outbox WHERE lane = $1 AND seq > $2"
_NOTED = "SELECT record_id FROM published_ids WHERE lane = $1"
_AMONG = "SELECT record_id FROM published_ids WHERE lane = $1 AND record_id = ANY($2::uuid[])"
_NOTE = """
INSERT INTO published_ids (lane, record_id, topic, seq, published_at)
SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::bigint[], $5::timestamptz[])
ON CONFLICT DO NOTHING
"""
# Every new number is beyond every number in use, so no row meets another on its way.
_RENUMBER = """
UPDATE outbox AS o SET seq = k.after, nonce = k.nonce
FROM unnest($2::bigint[], $3::bigint[], $4::uuid[]) AS k(before, after, nonce)
WHERE o.lane = $1 AND o.seq = k.before
"""
_RAISE_LAST_SEQ = "UPDATE lanes SET last_seq = $2 WHERE lane = $1"
_PAGE = 5_000


class NotedRecord(NamedTuple):
    """A record that is out: by what it is known again, where, under which number, and since when."""

    record_id: UUID
    topic: str  # its role: alerts, alerts_test, alarm_state, dead_letters
    seq: int
    published_at: datetime


class QueuedRecord(NamedTuple):
    """A record in a lane's outbox, published or not."""

    seq: int
    record: OutgoingRecord
    recorded_at: datetime


class RepairRepository:
    """What only a repair does to a lane; the publisher reads what it noted."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def begin(self, lane: int) -> int:
        """Raise the lane's epoch, so that its publisher takes it anew; return it."""
        epoch: int | None = await self._connection.fetchval(_RAISE_EPOCH, lane)
        if epoch is None:
            raise UnknownLaneError(f"there is no lane {lane}")
        return epoch

    async def lock(self, lane: int, epoch: int) -> int:
        """Let nobody number records of *lane* until the end; return the last number given.

        Raises RepairedElsewhereError if another repair has begun since *epoch*.
        """
        row = await self._connection.fetchrow(_LOCK, lane)
        if row is None or row["epoch"] != epoch:
            raise RepairedElsewhereError(f"another repair of lane {lane} has begun")
        last_seq: int = row["last_seq"]
        return last_seq

    async def queued(self, lane: int) -> AsyncIterator[QueuedRecord]:
        """Go through every record of *lane* that is in the outbox, in order; markers are none."""
        async for row in self._connection.cursor(_ROWS, lane, MARKER, prefetch=_PAGE):
            record = OutgoingRecord(
                topic=row["topic"],
                key=row["key"],
                value=row["value"],
                headers=headers_from_json(row["headers"]),
            )
            yield QueuedRecord(row["seq"], record, row["recorded_at"])

    async def count_beyond(self, lane: int, seq: int) -> int:
        """Return how many rows *lane* has beyond *seq*."""
        counted: int = await self._connection.fetchval(_COUNT_BEYOND, lane, seq)
        return counted

    async def noted(self, lane: int) -> set[UUID]:
        """Return every id that repairs of *lane* have noted as out."""
        return {row["record_id"] for row in await self._connection.fetch(_NOTED, lane)}

    async def among(self, lane: int, ids: Collection[UUID]) -> set[UUID]:
        """Return those of *ids* that are noted as out."""
        return {row["record_id"] for row in await self._connection.fetch(_AMONG, lane, list(ids))}

    async def note(self, lane: int, records: Sequence[NotedRecord]) -> None:
        """Note *records* as out; what is noted already stays as it is."""
        for start in range(0, len(records), _PAGE):
            await self._connection.execute(_NOTE, lane, *columns_of(records[start : start + _PAGE], 4))

    async def renumber(self, lane: int, marker: int, waiting: Sequence[int]) -> UUID:
        """Write a marker as number *marker*, and the rows *waiting* behind it, in order; return its nonce.

        *marker* must be beyond every number in use.
        """
        nonce = uuid4()
        columns = ["lane", "seq", "topic", "headers", "nonce"]
        await copy(self._connection, "outbox", columns, [(lane, marker, MARKER, "[]", nonce)])
        moves = [(before, after, uuid4()) for after, before in enumerate(waiting, marker + 1)]
        for start in range(0, len(moves), _PAGE):
            await self._connection.execute(_RENUMBER, lane, *columns_of(moves[start : start + _PAGE], 3))
        await self._connection.execute(_RAISE_LAST_SEQ, lane, marker + len(waiting))
        return nonce
