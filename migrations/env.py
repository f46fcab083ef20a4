"""How Alembic reaches the database: one connection, one migrator at a time, a transaction per migration."""

# pylint: disable=no-member  # Alembic makes the members of `context` when it runs this
import asyncio

from alembic import context
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from migrations import ADVISORY_LOCK
from persistence.tables import metadata


def _migrate(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
    connection.commit()  # the lock is the session's and stays
    context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


async def _connect_and_migrate(url: str) -> None:
    engine = create_async_engine(url, poolclass=pool.NullPool, hide_parameters=True)
    async with engine.connect() as connection:
        await connection.run_sync(_migrate)


asyncio.run(_connect_and_migrate(context.config.attributes["url"]))
