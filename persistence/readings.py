"""Readings: written with COPY, and looked up where one may be stored already."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, TypeAlias
from uuid import UUID

import asyncpg

from persistence.connection import Connection, columns_of, copy
from persistence.errors import DuplicateReadingError

# The instants bound the partitions that are looked at; within one the primary key leads to the few rows.
_AT_THESE_INSTANTS = """
SELECT r.chart_id, r.observed_at, r.reading_id, r.device_id, r.vital_sign, r.site
FROM (SELECT DISTINCT * FROM unnest($1::bigint[], $2::timestamptz[])) AS k(chart_id, observed_at)
JOIN readings AS r USING (chart_id, observed_at)
WHERE r.observed_at BETWEEN $3 AND $4
"""

ReadingKey: TypeAlias = tuple[int, UUID]  # chart_id, reading_id
# chart_id, observed_at, device_id, vital_sign, site
Slot: TypeAlias = tuple[int, datetime, str, str, str | None]


class Candidate(NamedTuple):
    """A reading that may be stored already, or stand against one that is."""

    chart_id: int
    observed_at: datetime
    reading_id: UUID
    device_id: str
    vital_sign: str
    site: str | None

    @property
    def slot(self) -> Slot:
        """The place that one reading can hold: this device's value of this sign at this instant."""
        return (self.chart_id, self.observed_at, self.device_id, self.vital_sign, self.site)


class ReadingRow(NamedTuple):
    """A reading as it is stored; `recorded_at` is the database's."""

    chart_id: int
    observed_at: datetime
    reading_id: UUID
    vital_sign: str
    value: float | None
    validity: str
    site: str | None
    device: str | None
    device_id: str
    acquisition: str
    message_id: str
    received_at: datetime
    chart_seq: int
    flags: Sequence[str] | None
    correlation_id: UUID


class ReadingRepository:
    """Every reading, once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def existing(self, candidates: Sequence[Candidate]) -> tuple[set[ReadingKey], set[Slot]]:
        """Return which of *candidates* are stored, and the slots that hold another reading than theirs."""
        if not candidates:
            return set(), set()
        stored = await self._at_the_instants_of(candidates)
        known = {(each.chart_id, each.reading_id) for each in stored}
        taken = {each.slot for each in stored}
        ids = {(each.chart_id, each.reading_id) for each in candidates}
        return ids & known, {
            each.slot
            for each in candidates
            if each.slot in taken and (each.chart_id, each.reading_id) not in known
        }

    async def add(self, rows: Iterable[ReadingRow]) -> None:
        """Store *rows*. Raises DuplicateReadingError if one of them is stored already, or twice in *rows*.

        The transaction is then over: the batch must be done again, without them.
        """
        try:
            await copy(self._connection, "readings", ReadingRow._fields, rows)
        except asyncpg.UniqueViolationError as error:
            error.detail = None
            raise DuplicateReadingError("a reading of this batch is stored already") from error

    async def _at_the_instants_of(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        instants = {(each.chart_id, each.observed_at) for each in candidates}
        charts, times = columns_of(list(instants), 2)
        rows = await self._connection.fetch(_AT_THESE_INSTANTS, charts, times, min(times), max(times))
        return [Candidate(*row) for row in rows]
