"""How a session with PostgreSQL is opened: as its address asks, and without memory where a pooler lends it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.util import await_only

from persistence.connection import Connection

_NONE_KEPT: Mapping[str, int] = {"prepared_statement_cache_size": 0}


def libpq_address(url: URL) -> str:
    """*url* as libpq and asyncpg read it: what stands behind the question mark is theirs."""
    query = {name: value if isinstance(value, str) else ",".join(value) for name, value in url.query.items()}
    if "ssl" in query:  # SQLAlchemy's word for it
        query["sslmode"] = query.pop("ssl")
    return url.set(drivername="postgresql", query=query).render_as_string(hide_password=False)


@dataclass(slots=True)
class Sessions:
    """Opens sessions for one engine.

    Between us and the server may stand a pooler that hands every transaction another server connection. What
    was prepared on one is not there on the next, so nothing is kept prepared then. Whether there is one is
    seen on every session: a pooler cannot tell the server's own process number, since there is no single one.
    """

    address: str
    arguments: Mapping[str, Any]
    is_pooled: bool = False

    def connect(
        self, dialect: Dialect, _entry: ConnectionPoolEntry, _args: object, _parameters: object
    ) -> DBAPIConnection:
        """Open a session, in place of SQLAlchemy, which knows nothing of libpq's parameters."""
        session = await_only(self.open())
        kept = _NONE_KEPT if self.is_pooled else {}
        adapted: DBAPIConnection = dialect.loaded_dbapi.connect(async_creator_fn=_given(session), **kept)
        return adapted

    async def open(self) -> Connection:
        """Open a session that keeps its statements prepared, if it is ours alone; else one that does not."""
        if not self.is_pooled:
            session: Connection = await asyncpg.connect(self.address, **self.arguments)
            if not await _is_pooled(session):
                return session
            await session.close()
            self.is_pooled = True
        forgetful: Connection = await asyncpg.connect(self.address, statement_cache_size=0, **self.arguments)
        return forgetful


def _given(session: Connection) -> Callable[[], Awaitable[Connection]]:
    async def creator() -> Connection:
        return session

    return creator


async def _is_pooled(session: Connection) -> bool:
    """Whether somebody else than the server answers; nothing named is left on the server's side."""
    async with session.transaction():
        asked = await session.prepare("SELECT pg_backend_pid()", name="")
        return bool(await asked.fetchval() != session.get_server_pid())
