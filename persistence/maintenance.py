"""Maintenance: months made ahead, strays moved into theirs; run it as often as you like."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from persistence.connection import Connection, Timeouts, transaction
from persistence.partitions import Month, is_made, make, missing_months

# Moving a month's rows may take long; a worker that waits for it comes back by itself.
_TIMEOUTS = Timeouts(lock_ms=3_000, statement_ms=300_000, idle_in_transaction_ms=10_000)
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(7163024511200002)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run of `maintain` has done."""

    partitions: tuple[str, ...] = ()
    moved_rows: int = 0


async def maintain(engine: AsyncEngine, *, now: datetime, months_ahead: int = 3) -> Report:
    """Make the partitions of this month and *months_ahead* more, and of every reading that has none yet."""
    present = Month.of(now.astimezone(UTC))
    made = await _make_partitions(engine, [present.later(months) for months in range(months_ahead + 1)])
    return Report(
        partitions=tuple(month.partition for month in made),
        moved_rows=sum(made.values()),
    )


async def _make_partitions(engine: AsyncEngine, wanted: list[Month]) -> dict[Month, int]:
    async with _alone(engine) as connection:
        missing = await missing_months(connection, wanted)
    made = {}
    for month in missing:  # a transaction for each, so that writers get in between
        async with _alone(engine) as connection:
            if not await is_made(connection, month):  # nobody else has made it in the meantime
                made[month] = await make(connection, month)
    return made


@asynccontextmanager
async def _alone(engine: AsyncEngine) -> AsyncIterator[Connection]:
    async with transaction(engine, _TIMEOUTS) as began:
        await began.connection.execute(_ONE_AT_A_TIME)
        yield began.connection
