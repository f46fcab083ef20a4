"""Progress: how far intake is in each input partition, and the claim that fences it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from persistence.connection import Connection, columns_of
from persistence.errors import LostClaimError

_NEXT_OFFSETS = """
SELECT p.topic, p.partition, p.next_offset
FROM unnest($1::text[], $2::int[]) AS k(topic, partition)
JOIN progress AS p USING (topic, partition)
"""
_LAST_SEEN = """
SELECT p.topic, p.partition, coalesce(p.received_at, p.updated_at) AS seen_at
FROM unnest($1::text[], $2::int[]) AS k(topic, partition)
JOIN progress AS p USING (topic, partition)
"""
_INSERT = """
INSERT INTO progress (topic, partition, next_offset, received_at)
SELECT topic, partition, following, received_at
FROM unnest($1::text[], $2::int[], $3::bigint[], $4::timestamptz[]) AS k(topic, partition, following, received_at)
ORDER BY topic COLLATE "C", partition
ON CONFLICT DO NOTHING
RETURNING topic, partition
"""
_LOCK = """
SELECT p.topic, p.partition, p.next_offset
FROM unnest($1::text[], $2::int[]) AS k(topic, partition)
JOIN progress AS p USING (topic, partition)
ORDER BY p.topic, p.partition
FOR UPDATE OF p
"""
_ADVANCE = """
UPDATE progress AS p
SET next_offset = k.following, received_at = coalesce(k.received_at, p.received_at), updated_at = now()
FROM unnest($1::text[], $2::int[], $3::bigint[], $4::timestamptz[]) AS k(topic, partition, following, received_at)
WHERE p.topic = k.topic AND p.partition = k.partition
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """A batch's stretch of one partition: begins at *expected* (None: nobody was ever here), goes on at *following*.

    *received_at* is when its last record came, None where it holds none.
    """

    topic: str
    partition: int
    expected: int | None
    following: int
    received_at: datetime | None = None


class ProgressRepository:
    """Where intake goes on; never where the consumer group's offsets say."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def next_offsets(self, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """Return where to go on in those of *partitions* that are known."""
        rows = await self._connection.fetch(_NEXT_OFFSETS, *columns_of(list(partitions), 2))
        return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}

    async def last_seen(self, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], datetime]:
        """Return when the last record that was handled of each of *partitions* came."""
        rows = await self._connection.fetch(_LAST_SEEN, *columns_of(list(partitions), 2))
        return {(row["topic"], row["partition"]): row["seen_at"] for row in rows}

    async def claim(self, claims: Sequence[Claim]) -> None:
        """Move each partition on if it is where its claim expects it. Raises LostClaimError.

        Rows are locked in the order of (topic, partition), and compared once they are locked, so what is
        compared is what the last owner committed.
        """
        if new := [claim for claim in claims if claim.expected is None]:
            await self._insert(new)
        if known := [claim for claim in claims if claim.expected is not None]:
            await self._advance(known)

    async def _insert(self, claims: Sequence[Claim]) -> None:
        rows = await self._connection.fetch(_INSERT, *_arrays(claims))
        inserted = {(row["topic"], row["partition"]) for row in rows}
        if lost := [claim for claim in claims if (claim.topic, claim.partition) not in inserted]:
            raise LostClaimError(f"{_named(lost)} is known already, not new")

    async def _advance(self, claims: Sequence[Claim]) -> None:
        arrays = _arrays(claims)
        rows = await self._connection.fetch(_LOCK, *arrays[:2])
        stored = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
        for claim in claims:
            if (found := stored.get((claim.topic, claim.partition))) != claim.expected:
                raise LostClaimError(f"{_named([claim])} is at {found}, not at {claim.expected}")
        await self._connection.execute(_ADVANCE, *arrays)


def _arrays(claims: Sequence[Claim]) -> list[list[object]]:
    rows = [(claim.topic, claim.partition, claim.following, claim.received_at) for claim in claims]
    return columns_of(rows, 4)


def _named(claims: Sequence[Claim]) -> str:
    return ", ".join(f"{claim.topic}/{claim.partition}" for claim in claims)
