"""Dead letters looked up again: by what was wrong, by device, time and place, in the order of the log or the newest first."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import orjson
from asyncpg import Record

from persistence.connection import Connection, columns_of
from persistence.headers import Headers, headers_from_json

# A condition that is not asked for is NULL and holds of every row.
_MATCHES = """
    ($1::text[] IS NULL OR d.stage = ANY($1)) AND ($2::text[] IS NULL OR d.reason = ANY($2))
    AND ($3::text IS NULL OR d.device_id = $3) AND ($4::int IS NULL OR d.partition = $4)
    AND ($5::timestamptz IS NULL OR d.received_at >= $5) AND ($6::timestamptz IS NULL OR d.received_at < $6)
    AND ($7::text IS NULL OR d.topic = $7) AND ($8::bigint IS NULL OR d."offset" = $8)
    AND ($9::int IS NULL OR d.position = $9) AND ($10::uuid IS NULL OR d.correlation_id = $10)
"""
_COLUMNS = """
    d.topic, d.partition, d."offset", d.position, d.received_at, d.stage, d.reason, d.headers, d.problem,
    d.device_id, d.correlation_id, octet_length(d.key) AS key_size, octet_length(d.value) AS value_size,
    r.outcome AS replayed
"""
_REPLAYS = 'LEFT JOIN dead_letter_replays AS r USING (topic, partition, "offset")'
_NEWEST = f"""
SELECT {_COLUMNS}, NULL::bytea AS key, NULL::bytea AS value FROM dead_letters AS d {_REPLAYS}
WHERE {_MATCHES} ORDER BY d.received_at DESC, d.topic, d.partition, d."offset" DESC, d.position LIMIT $11
"""  # noqa: S608  put together of constants
_AFTER = f"""
SELECT {_COLUMNS}, CASE WHEN $12 THEN d.key END AS key, CASE WHEN $12 THEN d.value END AS value
FROM dead_letters AS d {_REPLAYS}
WHERE {_MATCHES} AND (d.topic, d.partition, d."offset", d.position) > ($13, $14, $15, $16)
ORDER BY d.topic, d.partition, d."offset", d.position LIMIT $11
"""  # noqa: S608  likewise
_AT = f"""
SELECT DISTINCT ON (d.topic, d.partition, d."offset") {_COLUMNS}, d.key, d.value
FROM unnest($1::text[], $2::int[], $3::bigint[]) AS k(topic, partition, "offset")
JOIN dead_letters AS d USING (topic, partition, "offset") {_REPLAYS}
ORDER BY d.topic, d.partition, d."offset", d.position
"""  # noqa: S608  likewise
_PAGE = 100  # rows, each with its bytes
_BEFORE_ALL = ("", -1, -1, -1)


class Place(NamedTuple):
    """Where in an input topic a record stood when it was given up on."""

    topic: str
    partition: int
    offset: int

    @property
    def path(self) -> str:
        """As it is told and asked for."""
        return f"{self.topic}/{self.partition}/{self.offset}"


class DeadLetterFilter(NamedTuple):
    """What to look for; None asks for nothing. *since* counts, *until* does not."""

    stages: Sequence[str] | None = None
    reasons: Sequence[str] | None = None
    device_id: str | None = None
    partition: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    topic: str | None = None
    offset: int | None = None
    position: int | None = None
    correlation_id: UUID | None = None


class FoundLetter(NamedTuple):
    """A dead letter as it is stored; key and value are None where they were not asked for, their sizes tell."""

    place: Place
    position: int
    received_at: datetime
    stage: str
    reason: str
    key: bytes | None
    value: bytes | None
    key_size: int | None
    value_size: int | None
    headers: Headers
    problem: str
    device_id: str | None
    correlation_id: UUID
    replayed: str | None  # how a replay of it ended


class DeadLetterSearch:
    """Reads what `DeadLetterRepository` has written."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def newest(self, wanted: DeadLetterFilter, limit: int) -> list[FoundLetter]:
        """Return at most *limit* of what is *wanted*, the newest first, without its bytes."""
        return [_found(row) for row in await self._connection.fetch(_NEWEST, *wanted, limit)]

    async def after(
        self, wanted: DeadLetterFilter, last: FoundLetter | None, *, with_bytes: bool
    ) -> list[FoundLetter]:
        """Return the next page of what is *wanted* after *last*, in the order of the log; empty at the end."""
        begin = _BEFORE_ALL if last is None else (*last.place, last.position)
        return [
            _found(row) for row in await self._connection.fetch(_AFTER, *wanted, _PAGE, with_bytes, *begin)
        ]

    async def at(self, places: Sequence[Place]) -> dict[Place, FoundLetter]:
        """Return what is stored of the records at *places*, with their bytes; a record is told once."""
        rows = await self._connection.fetch(_AT, *columns_of(places, 3))
        letters = [_found(row) for row in rows]
        return {letter.place: letter for letter in letters}


def _found(row: Record) -> FoundLetter:
    return FoundLetter(
        place=Place(row["topic"], row["partition"], row["offset"]),
        position=row["position"],
        received_at=row["received_at"],
        stage=row["stage"],
        reason=row["reason"],
        key=row["key"],
        value=row["value"],
        key_size=row["key_size"],
        value_size=row["value_size"],
        headers=headers_from_json(row["headers"]),
        problem=orjson.dumps(row["problem"]).decode(),
        device_id=row["device_id"],
        correlation_id=UUID(int=row["correlation_id"].int),  # asyncpg has a UUID of its own
        replayed=row["replayed"],
    )
