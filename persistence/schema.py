"""The schema's revision: brought up or down by the migrations that come with the package, and checked."""

from importlib.resources import files
from threading import Lock

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from persistence.errors import SchemaNotMigratedError

# Alembic keeps what it works on in module variables; other processes are held off by a lock in the database.
_ONE_AT_A_TIME = Lock()

_CURRENT = text("SELECT version_num FROM alembic_version")
_IS_KNOWN = text("SELECT to_regclass('alembic_version') IS NOT NULL")


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at *url* up to *revision*; safe to run twice at once.

    It runs an event loop of its own: from within one, call it by `asyncio.to_thread`.
    """
    with _ONE_AT_A_TIME:
        command.upgrade(_config(url), revision)


def downgrade(url: str, revision: str) -> None:
    """Bring the database at *url* down to *revision* ("-1": by one)."""
    with _ONE_AT_A_TIME:
        command.downgrade(_config(url), revision)


def head() -> str:
    """Return the revision this version was written for."""
    revision = ScriptDirectory.from_config(_config("")).get_current_head()
    if revision is None:
        raise RuntimeError("the migrations have no head: they are missing from this installation")
    return revision


async def current(engine: AsyncEngine) -> str | None:
    """Return the revision the database is at, None if it was never migrated."""
    async with engine.connect() as connection:
        if not (await connection.execute(_IS_KNOWN)).scalar_one():
            return None
        revision: str | None = (await connection.execute(_CURRENT)).scalar_one_or_none()
        return revision


async def check(engine: AsyncEngine) -> None:
    """Raise SchemaNotMigratedError unless the database is at `head`, or at a revision that is newer.

    Migrations are written so that the version before still runs, so a newer schema is let pass.
    """
    found, wanted = await current(engine), head()
    if found is None or found < wanted:
        at = "is empty" if found is None else f"is at revision {found}"
        raise SchemaNotMigratedError(
            f"the database {at}, this version needs {wanted}: run `vigil db upgrade`"
        )


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    config.attributes["url"] = url  # not an option: those would expand the % of a password
    return config
