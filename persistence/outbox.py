"""The outbox: records of a transaction, numbered per lane without a gap, waiting to be published."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from asyncpg import Record

from persistence.connection import Connection, columns_of, copy
from persistence.errors import OutboxGapError, UnknownLaneError
from persistence.headers import Headers, headers_from_json, headers_to_text

# The rows are locked in lane order before one of them is updated, so two batches cannot wait for each other;
# the number comes from the locked row, never from a sequence, so the order of numbers is that of commits.
_RAISE = """
WITH wanted AS (
    SELECT * FROM unnest($1::int[], $2::bigint[]) AS k(lane, records)
), locked AS (
    SELECT l.lane, wanted.records FROM wanted JOIN lanes AS l USING (lane) ORDER BY l.lane FOR UPDATE OF l
)
UPDATE lanes AS l SET last_seq = l.last_seq + locked.records FROM locked WHERE l.lane = locked.lane
RETURNING l.lane, l.last_seq
"""
# One statement, so one snapshot: what the lane says was given out last and what is there must agree.
_BEYOND = """
SELECT l.last_seq, o.*
FROM lanes AS l
LEFT JOIN LATERAL (
    SELECT lane, seq, topic, key, value, headers, nonce, ce_id, observed_at, received_at, priority
    FROM outbox WHERE outbox.lane = l.lane AND outbox.seq > $2
    ORDER BY outbox.seq LIMIT $3
) AS o ON true
WHERE l.lane = $1
ORDER BY o.seq
"""
_NONCE = "SELECT nonce FROM outbox WHERE lane = $1 AND seq = $2"
_LAST_SEQ = "SELECT last_seq FROM lanes WHERE lane = $1"
_BACKLOG = """
SELECT l.lane, greatest(l.last_seq - k.seq, 0) AS pending,
       (SELECT o.recorded_at FROM outbox AS o WHERE o.lane = l.lane AND o.seq > k.seq ORDER BY o.seq LIMIT 1) AS oldest_at
FROM unnest($1::int[], $2::bigint[]) AS k(lane, seq) JOIN lanes AS l USING (lane)
"""
_COLUMNS = (
    "lane", "seq", "topic", "key", "value", "headers", "nonce", "ce_id", "observed_at", "received_at", "priority",
)  # fmt: skip

MARKER = "marker"
"""The role of a row that is never published: a repair writes it, and the cursor stands on it afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingRecord:
    """A record to be published; *topic* is its role: alerts, alerts_test, alarm_state or dead_letters."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    ce_id: UUID | None = None
    priority: int | None = None
    observed_at: datetime | None = None
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A record with its number, and the nonce that tells this row from any other that ever bore the number."""

    lane: int
    seq: int
    record: OutgoingRecord
    nonce: UUID


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much of a lane is unpublished, and since when."""

    pending: int
    oldest_at: datetime | None


class OutboxRepository:
    """What is said about each lane's patients, in one order."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def append(self, records: Mapping[int, Sequence[OutgoingRecord]]) -> dict[int, int]:
        """Number *records* of each lane and store them; return the number last given in each lane.

        The lanes stay locked until the transaction ends, so this comes last in it.
        """
        counts = [(lane, len(some)) for lane, some in records.items() if some]
        if not counts:
            return {}
        raised = await self._connection.fetch(_RAISE, *columns_of(counts, 2))
        last_seq: dict[int, int] = {row["lane"]: row["last_seq"] for row in raised}
        if unknown := sorted({lane for lane, _ in counts} - last_seq.keys()):
            raise UnknownLaneError(f"there is no lane {unknown[0]}")
        await copy(self._connection, "outbox", _COLUMNS, _numbered(records, last_seq))
        return last_seq

    async def beyond(self, lane: int, seq: int, limit: int) -> list[OutboxRow]:
        """Return at most *limit* rows of *lane* after *seq*, in order. Raises OutboxGapError if one is missing."""
        found = await self._connection.fetch(_BEYOND, lane, seq, limit)
        if not found:
            raise UnknownLaneError(f"there is no lane {lane}")
        rows = [row for row in found if row["seq"] is not None]
        _check_numbers([row["seq"] for row in rows], lane, seq, min(seq + limit, found[0]["last_seq"]))
        return [_row(row) for row in rows]

    async def nonce_of(self, lane: int, seq: int) -> UUID | None:
        """Return the nonce of row *seq*, None if there is no such row."""
        nonce: UUID | None = await self._connection.fetchval(_NONCE, lane, seq)
        return nonce

    async def last_seq(self, lane: int) -> int:
        """Return the number last given in *lane*. Raises UnknownLaneError."""
        last_seq: int | None = await self._connection.fetchval(_LAST_SEQ, lane)
        if last_seq is None:
            raise UnknownLaneError(f"there is no lane {lane}")
        return last_seq

    async def backlog(self, published: Mapping[int, int]) -> dict[int, Backlog]:
        """Return what is waiting in each lane beyond its cursor in *published*."""
        rows = await self._connection.fetch(_BACKLOG, *columns_of(list(published.items()), 2))
        return {row["lane"]: Backlog(row["pending"], row["oldest_at"]) for row in rows}


def _numbered(records: Mapping[int, Sequence[OutgoingRecord]], last_seq: Mapping[int, int]) -> Iterator[Any]:
    for lane, some in records.items():
        first = last_seq.get(lane, 0) - len(some) + 1
        for seq, record in enumerate(some, first):
            yield (
                lane,
                seq,
                record.topic,
                record.key,
                record.value,
                headers_to_text(record.headers),
                uuid4(),
                record.ce_id,
                record.observed_at,
                record.received_at,
                record.priority,
            )


def _check_numbers(found: Sequence[int], lane: int, after: int, last: int) -> None:
    if last < after:
        raise OutboxGapError(f"lane {lane} has given numbers up to {last}, the cursor is at {after}")
    if list(found) != list(range(after + 1, last + 1)):
        raise OutboxGapError(f"lane {lane}: {len(found)} rows after {after}, not all up to {last}")


def _row(row: Record) -> OutboxRow:
    record = OutgoingRecord(
        topic=row["topic"],
        key=row["key"],
        value=row["value"],
        headers=headers_from_json(row["headers"]),
        ce_id=row["ce_id"],
        priority=row["priority"],
        observed_at=row["observed_at"],
        received_at=row["received_at"],
    )
    return OutboxRow(row["lane"], row["seq"], record, row["nonce"])
