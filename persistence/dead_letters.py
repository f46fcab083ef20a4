"""Dead letters: what could not be used, byte for byte, and why."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from persistence.connection import Connection, columns_of
from persistence.headers import Headers, headers_to_text

# The same record refused again (its partition was set back by an operator) is the same dead letter.
_ADD = """
INSERT INTO dead_letters (topic, partition, "offset", position, received_at, stage, reason, key, value, headers, problem,
                          device_id, correlation_id)
SELECT topic, partition, k."offset", position, received_at, stage, reason, key, value, headers::json, problem::json,
       device_id, correlation_id
FROM unnest($1::text[], $2::int[], $3::bigint[], $4::smallint[], $5::timestamptz[], $6::text[], $7::text[], $8::bytea[],
            $9::bytea[], $10::text[], $11::text[], $12::text[], $13::uuid[])
     AS k(topic, partition, "offset", position, received_at, stage, reason, key, value, headers, problem, device_id,
          correlation_id)
ON CONFLICT DO NOTHING
"""


class DeadLetterRow(NamedTuple):
    """A dead letter as it is stored; *position* 0 is the whole record, *problem* is JSON text."""

    topic: str
    partition: int
    offset: int
    position: int
    received_at: datetime
    stage: str
    reason: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    problem: str
    device_id: str | None
    correlation_id: UUID


class DeadLetterRepository:
    """What was given up on, kept for those who must find out why."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, rows: Sequence[DeadLetterRow]) -> None:
        """Store *rows*; one that is stored already stays as it is."""
        if rows:
            encoded = [row._replace(headers=headers_to_text(row.headers)) for row in rows]  # type: ignore[arg-type]
            await self._connection.execute(_ADD, *columns_of(encoded, 13))
