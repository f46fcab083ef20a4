"""Retention: what is past its age goes, a little at a time; never what has not been published, nor a cursor's row."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from persistence.connection import Connection, Timeouts, count_of, transaction
from persistence.partitions import drop, months_before

# A month that is dropped is locked for a moment, and whoever reads or writes readings waits for it.
_DROPPING = Timeouts(lock_ms=1_000, statement_ms=30_000, idle_in_transaction_ms=10_000)
_ATTEMPTS = 5
_DELETING = Timeouts(lock_ms=3_000, statement_ms=300_000, idle_in_transaction_ms=10_000)
CHUNK = 10_000
# Strictly below the cursor: the row that the cursor names stays, it bears the nonce by which a reset shows.
_OUTBOX = """
DELETE FROM outbox WHERE lane = $1 AND seq < $2 AND ($4::timestamptz IS NULL OR recorded_at < $4)
    AND seq < (SELECT min(seq) FROM outbox WHERE lane = $1) + $3
"""
_PAST = "DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} WHERE {column} < $1 LIMIT $2))"
# An alarm that stands has not ended, so its age is not known yet.
_HISTORY = {
    "commands": "received_at",
    "ticks": "at",
    "alarms": "ended_at",
    "dead_letters": "received_at",
    "dead_letter_replays": "ended_at",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Before which moment what may go; None: whatever its age."""

    readings: datetime
    history: datetime
    outgoing: datetime | None
    noted: datetime  # ids that repairs found to be out


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What has gone: months of readings, and rows by table."""

    months: tuple[str, ...]
    months_in_use: tuple[str, ...]  # somebody held them for long; the next run will find them
    rows: Mapping[str, int]


async def expire(engine: AsyncEngine, limits: Limits, published: Mapping[int, int]) -> Removed:
    """Remove what is past *limits*; of the outbox only what lies below the cursors in *published*."""
    dropped, in_use = await _drop_months(engine, limits.readings)
    rows: Counter[str] = Counter()
    for table, column in _HISTORY.items():
        rows[table] = await _delete_past(engine, table, column, limits.history)
    for lane, seq in published.items():
        rows["outbox"] += await _delete_published(engine, lane, seq, limits.outgoing)
    rows["published_ids"] = await _delete_past(engine, "published_ids", "noted_at", limits.noted)
    return Removed(months=tuple(dropped), months_in_use=tuple(in_use), rows=rows)


async def _drop_months(engine: AsyncEngine, before: datetime) -> tuple[list[str], list[str]]:
    """Drop every month that ended before *before*; returns those that are gone, and those that were held."""
    async with _writing(engine, _DROPPING) as connection:
        past = await months_before(connection, before)
    dropped: list[str] = []
    in_use: list[str] = []
    for month in past:
        is_gone = await _drop(engine, month.partition)
        (dropped if is_gone else in_use).append(month.partition)
    return dropped, in_use


async def _drop(engine: AsyncEngine, partition: str) -> bool:
    for _ in range(_ATTEMPTS):
        try:
            async with _writing(engine, _DROPPING) as connection:
                await drop(connection, partition)
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            continue
        return True
    return False


async def _delete_past(engine: AsyncEngine, table: str, column: str, before: datetime) -> int:
    statement = _PAST.format(table=table, column=column)  # of the names above
    return await _in_chunks(engine, statement, before, CHUNK)


async def _delete_published(engine: AsyncEngine, lane: int, seq: int, before: datetime | None) -> int:
    return await _in_chunks(engine, _OUTBOX, lane, seq, CHUNK, before)


async def _in_chunks(engine: AsyncEngine, statement: str, *arguments: object) -> int:
    """Delete until nothing is left, each chunk in a transaction of its own, so that nobody waits for long."""
    deleted = 0
    while True:
        async with _writing(engine, _DELETING) as connection:
            chunk = count_of(await connection.execute(statement, *arguments))
        deleted += chunk
        if not chunk:
            return deleted


@asynccontextmanager
async def _writing(engine: AsyncEngine, timeouts: Timeouts) -> AsyncIterator[Connection]:
    async with transaction(engine, timeouts) as began:
        yield began.connection
