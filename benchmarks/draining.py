"""How fast a backlog is stored, judged from outside: by what the database holds and when it says so."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg

from benchmarks.programs import ProgramFailedError, Running

_POLL_SECONDS = 0.1
_FEWEST_TRANSACTIONS = 4


@dataclass(frozen=True, slots=True)
class Drain:
    """One backlog, stored: at which rate, by how many transactions, and with how much of a processor."""

    readings_per_s: float
    transactions: int
    polled_seconds: float
    cpu_us_per_reading: float


def drain(  # noqa: PLR0913  pylint: disable=too-many-arguments
    dsn: str, program: Running, *, rows: int, since: datetime, timeout: float, at_once: int = 1
) -> Drain:
    """Wait until the table `readings` holds *rows*; rate what was observed *since* then.

    *at_once* is how many transactions may be under way at the same time.
    Raises ProgramFailedError if the program ends or takes longer than *timeout* seconds.
    """
    with psycopg.connect(dsn, autocommit=True) as connection:
        began = _wait_for(connection, program, rows=1, timeout=timeout)
        stored, used = _rows(connection), program.cpu_seconds()
        ended = _wait_for(connection, program, rows=rows, timeout=timeout)
        cost = (program.cpu_seconds() - used) * 1e6 / max(1, rows - stored)
        transactions = _transactions(connection, since)
    polled = max(ended - began, _POLL_SECONDS)
    rate = _steady_rate(transactions, at_once) or sum(stored for _, stored in transactions) / polled
    return Drain(rate, len(transactions), polled, cost)


def wait_for_rows(dsn: str, program: Running, rows: int, timeout: float) -> None:
    """Wait until the table `readings` holds *rows*. Raises ProgramFailedError as `drain` does."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        _wait_for(connection, program, rows=rows, timeout=timeout)


def _wait_for(connection: psycopg.Connection, program: Running, *, rows: int, timeout: float) -> float:
    deadline = time.monotonic() + timeout
    while (stored := _rows(connection)) < rows:
        program.must_run()
        if time.monotonic() > deadline:
            raise ProgramFailedError(
                f"{program.name} stored {stored} of {rows} readings in {timeout:g} s\n{program.last_words()}"
            )
        time.sleep(_POLL_SECONDS)
    return time.monotonic()


def _rows(connection: psycopg.Connection) -> int:
    try:
        found = connection.execute("SELECT count(*) FROM readings").fetchone()
    except psycopg.errors.UndefinedTable:
        return 0  # the program has yet to make it
    return int(found[0]) if found else 0


def _transactions(connection: psycopg.Connection, since: datetime) -> list[tuple[datetime, int]]:
    return connection.execute(
        "SELECT recorded_at, count(*) FROM readings WHERE observed_at >= %s GROUP BY 1 ORDER BY 1", [since]
    ).fetchall()


def _steady_rate(transactions: Sequence[tuple[datetime, int]], at_once: int) -> float | None:
    """Return the rate between the start of the second transaction and the start of the last.

    *recorded_at* is when a transaction began. The first one is left out as the program warms up in it,
    the rows of the last because its end is not on record, as many as may have been under way *at_once*. None if that
    leaves too little.
    """
    if len(transactions) < _FEWEST_TRANSACTIONS + at_once - 1:
        return None
    measured = transactions[1:]
    seconds = (measured[-1][0] - measured[0][0]).total_seconds()
    return sum(stored for _, stored in measured[:-at_once]) / seconds
