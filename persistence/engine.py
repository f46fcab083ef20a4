"""The engine: the connections to PostgreSQL and how they notice that the other side has gone."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import orjson
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from persistence.sessions import Sessions, libpq_address

# A peer that has vanished is noticed after 5 + 3 x 2 s when idle, after 10 s when something is under way.
_KEEPALIVE = {
    "TCP_KEEPIDLE": 5,
    "TCP_KEEPINTVL": 2,
    "TCP_KEEPCNT": 3,
    "TCP_USER_TIMEOUT": 10_000,
}
_CLOSE_SECONDS = 1.0


def create_engine(
    url: str,
    *,
    application_name: str = "vigil",
    pool_size: int = 5,
    connect_timeout_seconds: float = 5,
    command_timeout_seconds: float | None = 30,
) -> AsyncEngine:
    """Return an engine for *url* (`postgresql+asyncpg://…`, libpq's parameters included); nothing is connected yet.

    No setting is made for a session: what a transaction needs is set by `unit_of_work` for the
    transaction, so that a pooler may hand each one another server connection.
    """
    address = make_url(url)
    engine = create_async_engine(
        address,
        isolation_level="READ COMMITTED",
        json_deserializer=orjson.loads,  # for asyncpg too: json is written as text and read as what it holds
        pool_size=pool_size,
        max_overflow=5,
        # A connection is not asked whether it still lives before each transaction: that took three round trips, as
        # many as a small batch needs otherwise. The first use of a dead one fails, and all others are then dropped.
        pool_pre_ping=False,
        hide_parameters=True,  # an error's text must not carry a patient's values
    )
    sessions = Sessions(
        libpq_address(address),
        {
            "timeout": connect_timeout_seconds,
            "command_timeout": command_timeout_seconds,
            "server_settings": {"application_name": application_name},
        },
    )
    event.listen(engine.sync_engine, "do_connect", sessions.connect)
    event.listen(engine.sync_engine, "connect", _keep_alive)
    return engine


@asynccontextmanager
async def open_engine(url: str, *, pool_size: int = 5) -> AsyncIterator[AsyncEngine]:
    """Lend an engine for *url*, and close its connections afterwards, in good order if that takes a moment only."""
    engine = create_engine(url, pool_size=pool_size)
    try:
        yield engine
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await engine.dispose()


def _keep_alive(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    transport = connection.driver_connection._transport  # noqa: SLF001 - asyncpg offers no other way in
    sock = transport.get_extra_info("socket")
    if sock.family in (socket.AF_INET, socket.AF_INET6):
        _set_keepalive(sock)


def _set_keepalive(sock: Any) -> None:  # noqa: ANN401 - asyncio's TransportSocket or uvloop's look-alike
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        if (option := getattr(socket, name, None)) is not None:  # macOS lacks some
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
