"""Whose database this is: one row, written when a worker first starts on it, and never changed."""

from dataclasses import dataclass

from persistence.connection import Connection

_CLAIM = (
    'INSERT INTO installation (consumer_group, topic_prefix) VALUES ($1, $2) ON CONFLICT ("only") DO NOTHING'
)
_OWNER = "SELECT consumer_group, topic_prefix FROM installation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What tells one Vigil from another: the group of its workers, and what its topics' names begin with."""

    group: str
    topic_prefix: str


class InstallationRepository:
    """The Vigil that the database belongs to."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def owner(self) -> Identity | None:
        """Return whose the database is; None before a worker has started on it."""
        row = await self._connection.fetchrow(_OWNER)
        if row is None:
            return None
        return Identity(group=row["consumer_group"], topic_prefix=row["topic_prefix"])

    async def claim(self, identity: Identity) -> None:
        """Make the database *identity*'s, unless it is somebody's already."""
        await self._connection.execute(_CLAIM, identity.group, identity.topic_prefix)
