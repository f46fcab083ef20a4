"""The connection of a unit of work: asyncpg's own, inside the transaction that SQLAlchemy began."""

import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from persistence.errors import ErrorClass, classify

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

# One round trip that does three things: it makes SQLAlchemy begin the transaction (which it puts off until
# the first statement; before that an asyncpg call would commit by itself), it sets the time-outs for this
# transaction only, and it tells the transaction's time, which now() repeats in every later statement.
_BEGIN = text(
    "SELECT now(), set_config('lock_timeout', :lock, true), set_config('statement_timeout', :statement, true),"
    " set_config('idle_in_transaction_session_timeout', :idle, true)"
)

_SIGN_SECONDS = 0.5  # of the three that a transaction may sit idle


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long a transaction may wait for a lock, run a statement, and sit there holding its locks."""

    lock_ms: int = 5_000
    statement_ms: int = 10_000
    idle_in_transaction_ms: int = 3_000  # a stopped worker must not hold a ward's charts


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction under way: its connection, and its time as the database tells it."""

    connection: Connection
    began_at: datetime


class Activity:
    """Tells the server now and then that whoever holds a transaction computes, and has not stopped.

    Else the time-out for idle transactions, which is there for the stopped, would cut off a large batch on a slow
    machine, and the same batch again and again.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._shown_at = time.monotonic()

    async def show(self) -> None:
        """Call it in the midst of computing, as often as you like."""
        if time.monotonic() - self._shown_at >= _SIGN_SECONDS:
            await self._connection.execute("SELECT 1")
            self._shown_at = time.monotonic()


@asynccontextmanager
async def transaction(engine: AsyncEngine, timeouts: Timeouts) -> AsyncIterator[Transaction]:
    """Commit if the block finishes; roll back if it raises; throw away a connection that has gone."""
    async with engine.begin() as connection:
        began = await _begin(connection, timeouts)
        try:
            yield began
        except BaseException as error:
            if began.connection.is_closed() or classify(error) is ErrorClass.CONNECTION:
                # There is nothing to roll back on it; trying would hide what had gone wrong.
                await connection.invalidate()
            raise


async def _begin(connection: AsyncConnection, timeouts: Timeouts) -> Transaction:
    settings = {
        "lock": str(timeouts.lock_ms),
        "statement": str(timeouts.statement_ms),
        "idle": str(timeouts.idle_in_transaction_ms),
    }
    began_at = (await connection.execute(_BEGIN, settings)).scalar_one()
    raw: Connection | None = (await connection.get_raw_connection()).driver_connection
    if raw is None or not raw.is_in_transaction():
        raise RuntimeError("the transaction has not begun: nothing written here would be rolled back")
    return Transaction(raw, began_at)


async def copy(
    connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Write *rows* to *table* with COPY, in one round trip whatever their number."""
    await connection.copy_records_to_table(table, columns=list(columns), records=rows)


def columns_of(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    """Turn *rows* into *width* arrays, as unnest takes them; no rows give empty arrays."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


def count_of(status: str) -> int:
    """Return the number of rows that a command's status ("UPDATE 3") tells."""
    return int(status.rpartition(" ")[2])
