"""How Alembic reaches the database: one connection, one migrator at a time, a transaction per migration."""

import asyncio

from alembic import context
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from persistence.tables import metadata

# Any fixed number of our own; two upgrades at once go one after the other, and the second finds nothing to do.
_ADVISORY_LOCK = 7_163_024_511_200_001


def _migrate(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ADVISORY_LOCK})
    connection.commit()  # the lock is the session's and stays
    context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


async def _connect_and_migrate(url: str) -> None:
    engine = create_async_engine(url, poolclass=pool.NullPool, hide_parameters=True)
    async with engine.connect() as connection:
        await connection.run_sync(_migrate)


asyncio.run(_connect_and_migrate(context.config.attributes["url"]))
