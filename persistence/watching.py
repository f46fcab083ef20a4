"""How patients are watched: the lanes' signs of life, the charts of those admitted, and the times nobody watched."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from asyncpg import Record

from domain.chart import Chart
from domain.chart_form import chart_from_form
from domain.observations import Mode
from domain.times import from_ms, to_ms
from domain.watch import WatchReason, WatchState
from domain.watching import Gap, SignOfLife
from persistence.connection import Transaction, columns_of

_SIGNS = "SELECT * FROM signs_of_life"
_LOCK_SIGNS = "SELECT * FROM signs_of_life WHERE lane = ANY($1::int[]) ORDER BY lane FOR UPDATE"
_SAVE_SIGNS = """
INSERT INTO signs_of_life (lane, at, seen_until, watched_until, reason)
SELECT * FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[], $5::text[]) AS k(lane)
ORDER BY k.lane
ON CONFLICT (lane) DO UPDATE
SET at = EXCLUDED.at, seen_until = EXCLUDED.seen_until, watched_until = EXCLUDED.watched_until, reason = EXCLUDED.reason
"""
_ADD_GAPS = """
INSERT INTO watch_gaps (lane, from_at, until_at, reason)
SELECT * FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[], $4::text[])
ON CONFLICT DO NOTHING
"""
# A chart saved by a version that knew nothing of this counts as not watched until it is saved again; so does one
# whose time has run out as far as its lane's input has been seen.
_COUNT = """
SELECT c.lane, c.ward, c.mode,
       CASE WHEN c.watch_until <= least(now(), s.seen_until) THEN 'not_watched'
            ELSE coalesce(c.watch, 'not_watched') END AS state,
       count(*) AS patients
FROM charts AS c LEFT JOIN signs_of_life AS s USING (lane)
WHERE c.ward IS NOT NULL AND c.lane = ANY($1::int[])
GROUP BY 1, 2, 3, 4
"""
_ADMITTED = """
SELECT patient_id, mode, lane, chart_seq, form FROM charts
WHERE ward IS NOT NULL AND ($1::text IS NULL OR ward = $1) ORDER BY ward, bed, patient_id, mode
"""


class Counted(NamedTuple):
    """How many patients of a ward are watched so, as their charts tell; how their lane is says the lane."""

    lane: int
    ward: str
    mode: Mode
    state: WatchState
    patients: int


@dataclass(frozen=True, slots=True)
class CensusRows:
    """What a census is made of, all of one moment: the database's own."""

    at: datetime
    charts: Sequence[Chart]
    signs: Mapping[int, SignOfLife]


class WatchRepository:
    """How lanes and charts are watched, in one transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._connection = transaction.connection
        self._began_at = transaction.began_at

    @property
    def now(self) -> datetime:
        """The transaction's time, which every worker and every reader of one database shares."""
        return self._began_at

    async def lock_signs(self, lanes: Iterable[int]) -> dict[int, SignOfLife]:
        """Return what was last left word of *lanes*, locked until the transaction ends."""
        return _signs(await self._connection.fetch(_LOCK_SIGNS, list(lanes)))

    async def save_signs(self, signs: Mapping[int, SignOfLife]) -> None:
        """Leave word of these lanes."""
        rows = [
            (lane, from_ms(sign.at_ms), _moment(sign.seen_ms), _moment(sign.watched_until_ms), sign.reason)
            for lane, sign in sorted(signs.items())
        ]
        await self._connection.execute(_SAVE_SIGNS, *columns_of(rows, 5))

    async def add_gaps(self, gaps: Mapping[int, Gap]) -> None:
        """Note for which times nobody watched these lanes."""
        rows = [(lane, from_ms(g.from_ms), from_ms(g.until_ms), g.reason) for lane, g in sorted(gaps.items())]
        await self._connection.execute(_ADD_GAPS, *columns_of(rows, 4))

    async def count(self, lanes: Iterable[int]) -> list[Counted]:
        """Return how many admitted patients of *lanes* are watched how, as their charts tell."""
        rows = await self._connection.fetch(_COUNT, list(lanes))
        return [
            Counted(r["lane"], r["ward"], Mode(r["mode"]), WatchState(r["state"]), r["patients"])
            for r in rows
        ]

    async def census(self, ward: str | None) -> CensusRows:
        """Return the charts of all who are admitted, or of those in *ward*, and how their lanes are."""
        signs = _signs(await self._connection.fetch(_SIGNS))
        rows = await self._connection.fetch(_ADMITTED, ward)
        return CensusRows(self._began_at, [_chart(row) for row in rows], signs)


def _chart(row: Record) -> Chart:
    return chart_from_form(
        row["form"],
        patient_id=row["patient_id"],
        mode=Mode(row["mode"]),
        lane=row["lane"],
        chart_seq=row["chart_seq"],
    )


def _signs(rows: Iterable[Record]) -> dict[int, SignOfLife]:
    return {
        row["lane"]: SignOfLife(
            at_ms=to_ms(row["at"]),
            watched_until_ms=_ms(row["watched_until"]),
            seen_ms=_ms(row["seen_until"]),
            reason=None if row["reason"] is None else WatchReason(row["reason"]),
        )
        for row in rows
    }


def _moment(ms: int | None) -> datetime | None:
    return None if ms is None else from_ms(ms)


def _ms(at: datetime | None) -> int | None:
    return None if at is None else to_ms(at)
