"""What an audit asks of the database: only reads, in short transactions that lock nothing and nobody waits for."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from asyncpg import Record
from sqlalchemy.ext.asyncio import AsyncEngine

from persistence.connection import Connection, Timeouts, columns_of, transaction
from persistence.headers import Headers, headers_from_json
from persistence.outbox import MARKER

_TIMEOUTS = Timeouts(lock_ms=3_000, statement_ms=600_000, idle_in_transaction_ms=60_000)
_PAGE = 5_000
# Readings lie by when they were observed; what was received in a range was observed around it, save late ones.
_LATEST, _EARLIEST = timedelta(days=2), timedelta(days=7)
_ALWAYS = (datetime(1800, 1, 1, tzinfo=UTC), datetime(2400, 1, 1, tzinfo=UTC))

_PROGRESS = "SELECT topic, partition, next_offset FROM progress"
_LANES = """
SELECT l.lane, l.last_seq, (SELECT min(o.seq) FROM outbox AS o WHERE o.lane = l.lane) AS oldest_seq FROM lanes AS l
"""
_TAKEN_IN = """
SELECT count(*) FROM readings AS r JOIN charts AS c USING (chart_id)
WHERE r.observed_at BETWEEN $3 AND $4 AND r.received_at >= $1 AND r.received_at < $2 AND c.mode = 'real'
"""
# Every number that a chart gave in the range, and a last one that must not be reached: what lies between two of them,
# and the number before the first, must be looked up; two alike are one too many.
_STEPS = """
WITH given AS (
    SELECT chart_id, chart_seq FROM readings
    WHERE observed_at BETWEEN $3 AND $4 AND received_at >= $1 AND received_at < $2 GROUP BY chart_id, chart_seq
    UNION ALL SELECT chart_id, chart_seq FROM commands WHERE received_at >= $1 AND received_at < $2
    UNION ALL SELECT chart_id, chart_seq FROM ticks WHERE at >= $1 AND at < $2
), beyond AS (
    SELECT c.chart_id, CASE WHEN $5 THEN c.chart_seq + 1 ELSE least(g.last + 2, c.chart_seq + 1) END AS chart_seq
    FROM charts AS c LEFT JOIN (SELECT chart_id, max(chart_seq) AS last FROM given GROUP BY chart_id) AS g USING (chart_id)
    WHERE g.last IS NOT NULL OR ($5 AND c.updated_at >= $1)
), numbers AS (SELECT * FROM given UNION ALL SELECT * FROM beyond),
steps AS (
    SELECT chart_id, chart_seq, lag(chart_seq) OVER (PARTITION BY chart_id ORDER BY chart_seq) AS previous FROM numbers
)
SELECT chart_id, chart_seq, coalesce(previous, chart_seq - 2) AS previous FROM steps
WHERE chart_seq <> coalesce(previous, chart_seq - 2) + 1 AND (chart_seq > 1 OR previous IS NOT NULL)
"""
_PRESENT = """
SELECT chart_id, chart_seq FROM readings
WHERE chart_id = ANY($1::bigint[]) AND observed_at BETWEEN $3 AND $4 AND chart_seq = ANY($2::bigint[])
UNION SELECT chart_id, chart_seq FROM commands WHERE chart_id = ANY($1::bigint[]) AND chart_seq = ANY($2::bigint[])
UNION SELECT chart_id, chart_seq FROM ticks WHERE chart_id = ANY($1::bigint[]) AND chart_seq = ANY($2::bigint[])
"""
_STORED = """
SELECT k.number, r.vital_sign, r.value, r.validity, r.received_at, r.correlation_id
FROM unnest($1::int[], $2::text[], $3::text[], $4::timestamptz[], $5::uuid[])
     AS k(number, patient_id, mode, observed_at, reading_id)
JOIN charts AS c USING (patient_id, mode)
JOIN readings AS r ON r.chart_id = c.chart_id AND r.observed_at = k.observed_at AND r.reading_id = k.reading_id
WHERE r.observed_at BETWEEN $6 AND $7
"""
_COMMANDS = "SELECT command_id FROM commands WHERE command_id = ANY($1::uuid[])"
_DEAD_LETTERS = """
SELECT topic, partition, d."offset", position, key, value
FROM unnest($1::text[], $2::int[], $3::bigint[]) AS k(topic, partition, "offset")
JOIN dead_letters AS d USING (topic, partition, "offset")
"""
_QUEUED = """
SELECT seq, topic, key, value, headers FROM outbox
WHERE lane = $1 AND seq <= $2 AND recorded_at >= $3 AND recorded_at < $4 AND topic <> $5 ORDER BY seq
"""
_UNDER = "SELECT seq, topic, key, value, headers FROM outbox WHERE lane = $1 AND seq = ANY($2::bigint[])"
_NOTED = "SELECT record_id FROM published_ids WHERE lane = $1 AND record_id = ANY($2::uuid[])"


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From *since* on, up to *until*; *is_open* where that is the present, so that nothing may come after it."""

    since: datetime
    until: datetime
    is_open: bool

    @property
    def observed(self) -> tuple[datetime, datetime]:
        """When readings that were received in the range were observed, but for very late ones."""
        return self.since - _EARLIEST, self.until + _LATEST


@dataclass(frozen=True, slots=True)
class Opening:
    """How things stood when the audit began, all at one moment."""

    progress: Mapping[tuple[str, int], int]
    last_seq: Mapping[int, int]
    oldest_seq: Mapping[int, int | None]  # of what the outbox still holds
    readings: int  # real ones, received in the range
    missing: frozenset[tuple[int, int]]  # chart, and a number of it that nothing stored bears
    doubled: frozenset[tuple[int, int]]  # chart, and a number of it that two inputs bear


class WantedReading(NamedTuple):
    """What a stored reading is looked up by."""

    patient_id: str
    mode: str
    observed_at: datetime
    reading_id: UUID


class FoundReading(NamedTuple):
    """What is stored of one."""

    vital_sign: str
    value: float | None
    validity: str
    received_at: datetime
    correlation_id: UUID


class FoundLetter(NamedTuple):
    """What is stored of a dead letter."""

    position: int
    key: bytes | None
    value: bytes | None


class Queued(NamedTuple):
    """A row of the outbox."""

    seq: int
    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers


class AuditRepository:
    """Reads for an audit."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def opening(self, time_range: TimeRange) -> Opening:
        """How things stand now."""
        fetch = self._connection.fetch
        bounds = (time_range.since, time_range.until, *time_range.observed)
        progress = {(row["topic"], row["partition"]): row["next_offset"] for row in await fetch(_PROGRESS)}
        lanes = await fetch(_LANES)
        readings: int = await self._connection.fetchval(_TAKEN_IN, *bounds)
        missing, doubled = await self._numbers(time_range)
        return Opening(
            progress=progress,
            last_seq={row["lane"]: row["last_seq"] for row in lanes},
            oldest_seq={row["lane"]: row["oldest_seq"] for row in lanes},
            readings=readings,
            missing=missing,
            doubled=doubled,
        )

    async def _numbers(
        self, time_range: TimeRange
    ) -> tuple[frozenset[tuple[int, int]], frozenset[tuple[int, int]]]:
        bounds = (time_range.since, time_range.until, *time_range.observed, time_range.is_open)
        steps = [tuple(row) for row in await self._connection.fetch(_STEPS, *bounds)]
        doubled = frozenset((chart, seq) for chart, seq, previous in steps if seq == previous)
        missing = {
            (chart, number) for chart, seq, previous in steps for number in range(max(1, previous + 1), seq)
        }
        missing -= await self._present(missing, time_range.observed)
        if missing:  # observed long before they were received, or received out of turn: now wherever they are
            missing -= await self._present(missing, _ALWAYS)
        return frozenset(missing), doubled

    async def _present(
        self, numbers: set[tuple[int, int]], observed: tuple[datetime, datetime]
    ) -> set[tuple[int, int]]:
        present: set[tuple[int, int]] = set()
        asked = sorted(numbers)
        for start in range(0, len(asked), _PAGE):
            charts, sequence = columns_of(asked[start : start + _PAGE], 2)
            rows = await self._connection.fetch(_PRESENT, list(set(charts)), list(set(sequence)), *observed)
            present.update((row["chart_id"], row["chart_seq"]) for row in rows)
        return present

    async def stored(self, wanted: Sequence[WantedReading]) -> dict[int, FoundReading]:
        """What is stored of *wanted*, by its place among them."""
        if not wanted:
            return {}
        columns = columns_of([(number, *each) for number, each in enumerate(wanted)], 5)
        rows = await self._connection.fetch(_STORED, *columns, min(columns[3]), max(columns[3]))
        return {row["number"]: FoundReading(*tuple(row)[1:]) for row in rows}

    async def commands(self, ids: Sequence[UUID]) -> set[UUID]:
        """Those of *ids* that are stored."""
        return (
            {row["command_id"] for row in await self._connection.fetch(_COMMANDS, list(ids))}
            if ids
            else set()
        )

    async def dead_letters(
        self, places: Sequence[tuple[str, int, int]]
    ) -> dict[tuple[str, int, int], list[FoundLetter]]:
        """The dead letters of the records at *places* (topic, partition, offset)."""
        found: dict[tuple[str, int, int], list[FoundLetter]] = {}
        if places:
            for row in await self._connection.fetch(_DEAD_LETTERS, *columns_of(places, 3)):
                topic, partition, offset, *rest = row
                found.setdefault((topic, partition, offset), []).append(FoundLetter(*rest))
        return found

    async def queued(self, lane: int, last_seq: int, time_range: TimeRange) -> AsyncIterator[Queued]:
        """Go through what was recorded for *lane* in the range, up to number *last_seq*; markers are nothing."""
        bounds = (lane, last_seq, time_range.since, time_range.until, MARKER)
        async for row in self._connection.cursor(_QUEUED, *bounds, prefetch=_PAGE):
            yield _queued(row)

    async def under(self, lane: int, numbers: Sequence[int]) -> list[Queued]:
        """What *lane*'s outbox holds under *numbers*."""
        return [_queued(row) for row in await self._connection.fetch(_UNDER, lane, list(numbers))]

    async def noted(self, lane: int, ids: Sequence[UUID]) -> set[UUID]:
        """Those of *ids* that a repair of *lane* found to be out."""
        return {row["record_id"] for row in await self._connection.fetch(_NOTED, lane, list(ids))}


def _queued(row: Record) -> Queued:
    return Queued(row["seq"], row["topic"], row["key"], row["value"], headers_from_json(row["headers"]))


@asynccontextmanager
async def audit_reads(engine: AsyncEngine) -> AsyncIterator[AuditRepository]:
    """A transaction that sees one moment and writes nothing."""
    still = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    async with transaction(still, _TIMEOUTS) as began:
        yield AuditRepository(began.connection)
