"""Wards: locked after the charts, in one order, saved if nobody else has."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from asyncpg import Record

from domain.chart_form import ward_from_form, ward_to_form
from domain.observations import Mode
from domain.times import from_ms
from domain.wards import NO_WARD, Ward
from persistence.connection import Connection, columns_of, count_of
from persistence.errors import StaleChartError

_INSERT_MISSING = """
INSERT INTO wards (ward, mode, lane)
SELECT k.ward, k.mode, k.lane FROM unnest($1::text[], $2::text[], $3::int[]) AS k(ward, mode, lane)
ORDER BY k.ward COLLATE "C", k.mode
ON CONFLICT DO NOTHING
"""
_LOCK = """
SELECT w.ward, w.mode FROM unnest($1::text[], $2::text[]) AS k(ward, mode) JOIN wards AS w USING (ward, mode)
ORDER BY w.ward, w.mode
FOR UPDATE OF w
"""
_READ = """
SELECT w.* FROM unnest($1::text[], $2::text[]) AS k(ward, mode) JOIN wards AS w USING (ward, mode)
"""
_SAVE = """
UPDATE wards AS w SET ward_seq = k.ward_seq, due_at = k.due_at, form = k.form::json, updated_at = now()
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::timestamptz[], $6::text[])
     AS k(ward, mode, before_seq, ward_seq, due_at, form)
WHERE w.ward = k.ward AND w.mode = k.mode AND w.ward_seq = k.before_seq
"""
# The patients without a ward count as one, if any of them was heard of of late, or if there is no other.
_ON_LANES = """
SELECT DISTINCT lane, coalesce(ward, '') AS ward FROM charts
WHERE lane = ANY($1::int[]) AND mode = 'real' AND (ward IS NOT NULL OR updated_at > now() - interval '1 day')
"""
_DUE = "SELECT ward, mode FROM wards WHERE lane = ANY($1::int[]) AND due_at <= $2 ORDER BY ward, mode"


@dataclass(frozen=True, slots=True)
class WardKey:
    """Which ward, and for which data."""

    ward: str
    mode: Mode


class WardRepository:
    """The wards of one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def lock(self, lane_by_key: Mapping[WardKey, int]) -> dict[WardKey, Ward]:
        """Return these wards, locked until the transaction ends, made if they are not there."""
        keys = [(key.ward, key.mode, lane) for key, lane in lane_by_key.items()]
        wards, modes, lanes = columns_of(keys, 3)
        await self._connection.execute(_INSERT_MISSING, wards, modes, lanes)
        await self._connection.execute(_LOCK, wards, modes)
        rows = await self._connection.fetch(_READ, wards, modes)
        return {WardKey(row["ward"], Mode(row["mode"])): _ward(row) for row in rows}

    async def save(self, before_seq: Mapping[WardKey, int], changed: Sequence[Ward]) -> None:
        """Write *changed* wards, each over its state numbered *before_seq*. Raises StaleChartError."""
        rows = [
            (
                ward.ward,
                ward.mode,
                before_seq[WardKey(ward.ward, ward.mode)],
                ward.ward_seq,
                None if ward.due_ms is None else from_ms(ward.due_ms),
                _text(ward),
            )
            for ward in changed
        ]
        status = await self._connection.execute(_SAVE, *columns_of(rows, 6))
        if (saved := count_of(status)) != len(rows):
            raise StaleChartError(f"{saved} of {len(rows)} wards were as they had been read")

    async def on_lanes(self, lanes: Iterable[int]) -> dict[int, set[str]]:
        """Return the wards that the patients of each of *lanes* lie on; only where real data comes from."""
        found: dict[int, set[str]] = {lane: set() for lane in lanes}
        for row in await self._connection.fetch(_ON_LANES, list(found)):
            found[row["lane"]].add(row["ward"])
        return {lane: wards or {NO_WARD} for lane, wards in found.items()}

    async def due(self, lanes: Iterable[int], at: datetime) -> list[WardKey]:
        """Return the wards of *lanes* that are due at *at*."""
        rows = await self._connection.fetch(_DUE, list(lanes), at)
        return [WardKey(row["ward"], Mode(row["mode"])) for row in rows]


def _text(ward: Ward) -> str:
    return orjson.dumps(ward_to_form(ward)).decode()


def _ward(row: Record) -> Ward:
    key = {"ward": row["ward"], "mode": Mode(row["mode"]), "lane": row["lane"]}
    if row["form"] is None:
        return Ward(**key)
    return ward_from_form(row["form"], **key, ward_seq=row["ward_seq"])
