"""How Alembic reaches the database: one connection, one migrator at a time, a transaction per migration."""

# pylint: disable=no-member  # Alembic makes the members of `context` when it runs this
import asyncio

from alembic import context
from sqlalchemy import Connection, text

from migrations import ADVISORY_LOCK
from persistence.engine import create_engine
from persistence.tables import metadata

# The lock is a transaction's, on a connection that does nothing else: through a pooler a session's lock would stay
# behind on some server connection. It must outlast every migration, so nobody may end it for sitting idle.
_ONE_AT_A_TIME = text(
    "SELECT set_config('idle_in_transaction_session_timeout', '0', true), pg_advisory_xact_lock(:key)"
)


def _migrate(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


async def _connect_and_migrate(url: str) -> None:
    engine = create_engine(url, application_name="vigil-upgrade", pool_size=2, command_timeout_seconds=None)
    try:
        async with engine.connect() as holder, engine.connect() as connection:
            await holder.execute(_ONE_AT_A_TIME, {"key": ADVISORY_LOCK})
            await connection.run_sync(_migrate)
    finally:
        await engine.dispose()


asyncio.run(_connect_and_migrate(context.config.attributes["url"]))
