"""Whether a commit survives a power cut: without that, nothing Vigil promises holds."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

_SETTINGS = text(
    "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes')"
)
_UNSAFE = frozenset({"off"})


async def unsafe_settings(engine: AsyncEngine) -> list[str]:
    """Return those of the server's settings that let a committed transaction be lost, by name."""
    async with engine.connect() as connection:
        rows = (await connection.execute(_SETTINGS)).all()
    return sorted(row.name for row in rows if row.setting in _UNSAFE)
