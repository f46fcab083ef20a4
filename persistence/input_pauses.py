"""Input pauses: partitions on which nothing can be used, since when, and when they are looked at again."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from persistence.connection import Connection, columns_of

_BEGIN = """
INSERT INTO input_pauses (topic, partition, paused_at, tries, retry_at, wards) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (topic, partition) DO NOTHING
"""
_POSTPONE = "UPDATE input_pauses SET tries = $3, retry_at = $4 WHERE topic = $1 AND partition = $2"
_END = "DELETE FROM input_pauses WHERE topic = $1 AND partition = $2 RETURNING wards"
_STANDING = """
SELECT p.topic, p.partition, p.paused_at, p.tries, p.retry_at, p.wards
FROM unnest($1::text[], $2::int[]) AS k(topic, partition)
JOIN input_pauses AS p USING (topic, partition)
"""


class InputPauseRow(NamedTuple):
    """A partition that is paused: looked at *tries* times in vain; *wards* are those that were told."""

    topic: str
    partition: int
    paused_at: datetime
    tries: int
    retry_at: datetime
    wards: Sequence[str] = ()


class InputPauseRepository:
    """The pauses that stand; what is over leaves no row."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def standing(self, partitions: Iterable[tuple[str, int]]) -> list[InputPauseRow]:
        """Return which of *partitions* are paused."""
        rows = await self._connection.fetch(_STANDING, *columns_of(list(partitions), 2))
        return [InputPauseRow(*row) for row in rows]

    async def begin(self, row: InputPauseRow) -> None:
        """Note that a partition is paused; one that is already stays as it is."""
        await self._connection.execute(_BEGIN, *row)

    async def postpone(self, row: InputPauseRow) -> None:
        """Note that it was looked at in vain, and when it will be next."""
        await self._connection.execute(_POSTPONE, row.topic, row.partition, row.tries, row.retry_at)

    async def end(self, topic: str, partition: int) -> Sequence[str]:
        """Forget the pause; returns the wards that were told of it, none if it was over already."""
        wards: Sequence[str] | None = await self._connection.fetchval(_END, topic, partition)
        return wards or ()
