"""What can go wrong in the database, in words of its own, and which of it passes by itself."""

from collections.abc import Iterator
from enum import StrEnum

import asyncpg
from sqlalchemy import exc


class PersistenceError(Exception):
    """The root of what this package raises itself; the database's own errors pass through."""


class LostClaimError(PersistenceError):
    """Another worker has gone on with this input partition: roll back and drop what is in memory."""


class StaleChartError(PersistenceError):
    """A chart or ward is no longer as it was when it was locked: a defect, since the lock forbids it."""


class DuplicateReadingError(PersistenceError):
    """A reading of the batch is stored already: redo the batch, asking for every reading."""


class DuplicateCommandError(PersistenceError):
    """A command of the batch is stored already: redo the batch, asking for every command."""


class OutboxGapError(PersistenceError):
    """A number is missing in a lane's outbox: it must not be published from."""


class UnknownLaneError(PersistenceError):
    """The lane has no row: `LaneRepository.ensure` has not run, or for fewer lanes."""


class RepairedElsewhereError(PersistenceError):
    """Another repair of this lane has begun: give up, and begin anew if need be."""


class SchemaNotMigratedError(PersistenceError):
    """The database is not at the revision this version was written for."""


class ErrorClass(StrEnum):
    """Why the database failed; the metric label carries the same word."""

    CONNECTION = "connection"  # lost, refused, shut down
    TIMEOUT = "timeout"  # a lock, a statement or an idle transaction took too long
    CONFLICT = "conflict"  # deadlock or serialization: the other side won
    RESOURCES = "resources"  # out of connections, memory or disk
    DEFECT = "defect"  # ours: trying again changes nothing


# By the first characters of the SQLSTATE, the longest match first.
_BY_SQLSTATE = (
    ("57014", ErrorClass.TIMEOUT),  # statement_timeout
    ("55P03", ErrorClass.TIMEOUT),  # lock_timeout
    ("25P03", ErrorClass.TIMEOUT),  # idle_in_transaction_session_timeout
    ("25P04", ErrorClass.TIMEOUT),  # transaction_timeout
    ("57P04", ErrorClass.DEFECT),  # the database was dropped
    ("57P", ErrorClass.CONNECTION),
    ("08", ErrorClass.CONNECTION),
    ("40", ErrorClass.CONFLICT),
    ("53", ErrorClass.RESOURCES),
)


def is_transient(error: BaseException) -> bool:
    """Whether the same transaction, begun anew a little later, may well succeed."""
    return classify(error) is not ErrorClass.DEFECT


def classify(error: BaseException) -> ErrorClass:
    """Sort *error*, wrapped by SQLAlchemy or not, by what is to be done about it."""
    found = (_classify_one(each) for each in _and_causes(error))
    return next((each for each in found if each is not None), ErrorClass.DEFECT)


def _classify_one(error: BaseException) -> ErrorClass | None:
    sqlstate = getattr(error, "sqlstate", None)
    if isinstance(error, asyncpg.CheckViolationError) and error.constraint_name is None:
        # The row's month was made while it was on its way to the default partition.
        return ErrorClass.CONFLICT
    if isinstance(sqlstate, str):
        return next((each for start, each in _BY_SQLSTATE if sqlstate.startswith(start)), None)
    if isinstance(error, exc.TimeoutError):
        return ErrorClass.RESOURCES  # no connection came free in the pool
    if isinstance(error, TimeoutError):
        return ErrorClass.TIMEOUT
    if isinstance(error, OSError) or _is_closed_connection(error):
        return ErrorClass.CONNECTION
    return None


def _is_closed_connection(error: BaseException) -> bool:
    """Whether the connection had gone before asyncpg was called; it has no class of its own for that.

    Told "I am shutting down" between two calls, it loses step with itself and says so at the next.
    """
    if isinstance(error, asyncpg.InternalClientError):
        return True
    if isinstance(error, exc.DBAPIError) and error.connection_invalidated:
        return True
    return isinstance(error, asyncpg.InterfaceError) and "closed" in str(error)


def _and_causes(error: BaseException) -> Iterator[BaseException]:
    following: BaseException | None = error
    while following is not None:
        yield following
        following = following.__cause__
