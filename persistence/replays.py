"""Replays of dead letters: which records are to be sent again, and how far that has come, so that none is forgotten."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from persistence.connection import Connection, columns_of, count_of
from persistence.dead_letter_search import Place

_OPEN = """
SELECT selection, count(*) AS records, min(asked_at) AS asked_at FROM dead_letter_replays
WHERE outcome IS NULL GROUP BY selection ORDER BY 3
"""
_ASK = """
INSERT INTO dead_letter_replays AS r (topic, partition, "offset", selection)
SELECT topic, partition, k."offset", $4 FROM unnest($1::text[], $2::int[], $3::bigint[]) AS k(topic, partition, "offset")
ON CONFLICT (topic, partition, "offset") DO UPDATE
    SET selection = $4, asked_at = now(), replay_id = gen_random_uuid(), tried_at = NULL, outcome = NULL, ended_at = NULL
    WHERE $5 AND r.outcome IS NOT NULL
"""
# Two replays at once divide the work between them: what one is about to send the other passes over.
_TAKE = """
UPDATE dead_letter_replays AS r SET tried_at = clock_timestamp()
FROM (
    SELECT topic, partition, "offset" FROM dead_letter_replays WHERE outcome IS NULL AND tried_at IS NULL
    ORDER BY topic, partition, "offset" LIMIT $1 FOR UPDATE SKIP LOCKED
) AS k
WHERE (r.topic, r.partition, r."offset") = (k.topic, k.partition, k."offset")
RETURNING r.topic, r.partition, r."offset", r.replay_id, r.tried_at
"""
_IN_DOUBT = """
SELECT topic, partition, "offset", replay_id, tried_at, clock_timestamp() - tried_at AS age FROM dead_letter_replays
WHERE outcome IS NULL AND tried_at IS NOT NULL ORDER BY tried_at
"""
_GIVE_BACK = """
UPDATE dead_letter_replays AS r SET tried_at = NULL
FROM unnest($1::text[], $2::int[], $3::bigint[], $4::timestamptz[]) AS k(topic, partition, "offset", tried_at)
WHERE (r.topic, r.partition, r."offset", r.tried_at) = (k.topic, k.partition, k."offset", k.tried_at)
  AND r.outcome IS NULL
"""
_END = """
UPDATE dead_letter_replays AS r SET outcome = $4, ended_at = now()
FROM unnest($1::text[], $2::int[], $3::bigint[]) AS k(topic, partition, "offset")
WHERE (r.topic, r.partition, r."offset") = (k.topic, k.partition, k."offset") AND r.outcome IS NULL
"""
_ABANDON = "DELETE FROM dead_letter_replays WHERE outcome IS NULL"

SENT, TOO_LARGE = "sent", "too_large"
"""How a replay of a record can end: it is in the input topic, or no broker would take it with what a replay adds."""


class OpenReplay(NamedTuple):
    """A replay that has not come to its end."""

    selection: str
    records: int
    asked_at: datetime


class Attempt(NamedTuple):
    """A record that is about to be sent, and the id it bears in the log."""

    place: Place
    replay_id: UUID
    tried_at: datetime
    age: timedelta = timedelta()


class ReplayRepository:
    """What is to be sent again, what is being sent, what has been."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def unfinished(self) -> list[OpenReplay]:
        """Return the replays that have records left, the oldest first."""
        return [OpenReplay(*row) for row in await self._connection.fetch(_OPEN)]

    async def ask(self, selection: str, places: Sequence[Place], *, again: bool) -> int:
        """Note that *places* are to be sent; one that was sent before only if *again*. Returns how many were noted."""
        return count_of(await self._connection.execute(_ASK, *columns_of(places, 3), selection, again))

    async def take(self, limit: int) -> list[Attempt]:
        """Take at most *limit* records to be sent now; nobody else gets them."""
        rows = await self._connection.fetch(_TAKE, limit)
        return sorted(Attempt(Place(*row[:3]), row["replay_id"], row["tried_at"]) for row in rows)

    async def in_doubt(self) -> list[Attempt]:
        """Return what was taken and never ended: whoever took it may have sent it, or not."""
        rows = await self._connection.fetch(_IN_DOUBT)
        return [Attempt(Place(*row[:3]), row["replay_id"], row["tried_at"], row["age"]) for row in rows]

    async def give_back(self, attempts: Sequence[Attempt]) -> None:
        """Let *attempts*, which were not sent, be taken again."""
        rows = [(*attempt.place, attempt.tried_at) for attempt in attempts]
        await self._connection.execute(_GIVE_BACK, *columns_of(rows, 4))

    async def end(self, places: Sequence[Place], outcome: str) -> None:
        """Note how the replay of *places* ended."""
        await self._connection.execute(_END, *columns_of(places, 3), outcome)

    async def abandon(self) -> int:
        """Forget what was not sent yet; returns how many records that are."""
        return count_of(await self._connection.execute(_ABANDON))
