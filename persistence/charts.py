"""Charts: locked as a whole in one order, read after the lock, saved if nobody else has."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from asyncpg import Record

from domain.chart import Chart, Track
from domain.chart_form import chart_from_form, chart_to_form, track_to_form
from domain.observations import Mode
from domain.times import from_ms
from domain.vital_signs import VitalSign
from domain.watch import Watch
from persistence.chart_cache import ChartCache, ChartKey, Held, Stamp, WrittenTracks
from persistence.connection import Transaction, columns_of, count_of
from persistence.errors import StaleChartError

# A chart that is not there cannot be locked. Those that are there are left out beforehand, since each
# conflict would use up a chart_id.
_INSERT_MISSING = """
INSERT INTO charts (patient_id, mode, lane)
SELECT k.patient_id, k.mode, k.lane
FROM unnest($1::text[], $2::text[], $3::int[]) AS k(patient_id, mode, lane)
WHERE NOT EXISTS (SELECT FROM charts AS c WHERE c.patient_id = k.patient_id AND c.mode = k.mode)
ORDER BY k.patient_id COLLATE "C", k.mode
ON CONFLICT DO NOTHING
"""
_LOCK = """
SELECT c.patient_id, c.mode, c.chart_id, c.lane, c.chart_seq, c.updated_at
FROM unnest($1::text[], $2::text[]) AS k(patient_id, mode)
JOIN charts AS c USING (patient_id, mode)
ORDER BY c.patient_id, c.mode
FOR UPDATE OF c
"""
_FORMS = "SELECT chart_id, form FROM charts WHERE chart_id = ANY($1::bigint[])"
_SAVE = """
UPDATE charts AS c
SET chart_seq = k.chart_seq, due_at = k.due_at, ward = k.ward, bed = k.bed, admitted_at = k.admitted_at,
    form = k.form::json, watch = k.watch, watch_reason = k.watch_reason, watch_since = k.watch_since,
    watch_until = k.watch_until, updated_at = now()
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::text[], $6::text[], $7::timestamptz[],
            $8::text[], $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[])
    AS k(chart_id, before_seq, chart_seq, due_at, ward, bed, admitted_at, form, watch, watch_reason, watch_since,
         watch_until)
WHERE c.chart_id = k.chart_id AND c.chart_seq = k.before_seq
"""
_DUE = """
SELECT patient_id, mode FROM charts
WHERE lane = ANY($1::int[]) AND due_at <= $2
ORDER BY due_at, patient_id, mode LIMIT $3
"""

_MODES = {mode.value: mode for mode in Mode}  # Mode(…) looks the same up, at five times the cost


@dataclass(frozen=True, slots=True)
class StoredChart:
    """A chart, the number of its row, and what the row tells of how the patient is watched.

    The patient is as *watch* says until *watch_until_ms*, if nothing more comes until then.
    """

    chart_id: int
    chart: Chart
    watch: Watch | None = None  # None: not admitted, or just read
    watch_until_ms: int | None = None


class ChartRepository:
    """The charts of one transaction."""

    def __init__(self, transaction: Transaction, cache: ChartCache | None = None) -> None:
        self._connection = transaction.connection
        self._began_at = transaction.began_at
        self._cache = ChartCache(0) if cache is None else cache
        self._seen: dict[ChartKey, Held] = {}

    async def lock(self, lane_by_key: Mapping[ChartKey, int]) -> dict[ChartKey, StoredChart]:
        """Return the charts of these keys, locked until the transaction ends, made if they are not there.

        A chart keeps the lane it was made with. The charts are read after the last lock is held: the
        locking statement itself began before another's commit that it waited for.
        """
        await self._insert({key: lane for key, lane in lane_by_key.items() if key not in self._cache})
        locked = await self._lock(lane_by_key)
        if gone := lane_by_key.keys() - locked.keys():
            # Seen before, and there no more: the database was set back. Locks may now be taken out of order;
            # a deadlock would be found, and the batch done again.
            await self._insert({key: lane_by_key[key] for key in gone})
            locked = await self._lock(lane_by_key)
        return await self._read(locked)

    async def save(self, before_seq: Mapping[ChartKey, int], changed: Sequence[StoredChart]) -> None:
        """Write *changed* charts, each over its state numbered *before_seq*. Raises StaleChartError."""
        rows = []
        for stored in changed:
            chart = stored.chart
            key = ChartKey(chart.patient_id, chart.mode)
            before = self._seen.get(key)
            form, written = _written(chart, before.written if before else {})
            rows.append(_row(stored, before_seq[key], form))
            self._seen[key] = Held(Stamp(stored.chart_id, chart.chart_seq, self._began_at), chart, written)
        status = await self._connection.execute(_SAVE, *columns_of(rows, 12))
        if (saved := count_of(status)) != len(rows):
            raise StaleChartError(f"{saved} of {len(rows)} charts were as they had been read")

    async def due(self, lanes: Sequence[int], at: datetime, limit: int) -> list[ChartKey]:
        """Return at most *limit* charts of *lanes* that are due at *at*, the longest overdue first."""
        rows = await self._connection.fetch(_DUE, lanes, at, limit)
        return [ChartKey(row["patient_id"], _MODES[row["mode"]]) for row in rows]

    def remember(self) -> None:
        """Let the cache know what this transaction saw and wrote; only once it is committed."""
        self._cache.put(self._seen)

    async def _insert(self, lane_by_key: Mapping[ChartKey, int]) -> None:
        if lane_by_key:
            keys = [(key.patient_id, key.mode, lane) for key, lane in lane_by_key.items()]
            await self._connection.execute(_INSERT_MISSING, *columns_of(keys, 3))

    async def _lock(self, keys: Iterable[ChartKey]) -> dict[ChartKey, Record]:
        locked = await self._connection.fetch(_LOCK, *columns_of(list(keys), 2))
        return {ChartKey(row["patient_id"], _MODES[row["mode"]]): row for row in locked}

    async def _read(self, locked: Mapping[ChartKey, Record]) -> dict[ChartKey, StoredChart]:
        stamps = {
            key: Stamp(row["chart_id"], row["chart_seq"], row["updated_at"]) for key, row in locked.items()
        }
        held = {key: self._cache.get(key, stamp) for key, stamp in stamps.items()}
        forms = await self._forms([stamps[key].chart_id for key, one in held.items() if one is None])
        found = {}
        for key, stamp in stamps.items():
            one = held[key] or Held(stamp, _chart(key, locked[key], forms[stamp.chart_id]))
            self._seen[key] = one
            found[key] = StoredChart(stamp.chart_id, one.chart)
        return found

    async def _forms(self, chart_ids: Sequence[int]) -> dict[int, dict[str, Any] | None]:
        rows = await self._connection.fetch(_FORMS, chart_ids) if chart_ids else []
        return {row["chart_id"]: row["form"] for row in rows}


def _chart(key: ChartKey, row: Record, form: dict[str, Any] | None) -> Chart:
    if form is None:
        return Chart(patient_id=key.patient_id, mode=key.mode, lane=row["lane"])
    return chart_from_form(
        form,
        patient_id=key.patient_id,
        mode=key.mode,
        lane=row["lane"],
        chart_seq=row["chart_seq"],
    )


def _written(chart: Chart, before: WrittenTracks) -> tuple[str, WrittenTracks]:
    """Return *chart*'s form as text, and its tracks' for the next time; a track written *before* is not made anew."""
    written: dict[VitalSign, tuple[Track, orjson.Fragment]] = {}
    for sign, track in chart.tracks.items():
        last = before.get(sign)
        if last is None or last[0] is not track:
            last = (track, orjson.Fragment(orjson.dumps(track_to_form(track))))
        written[sign] = last
    form = chart_to_form(chart, {sign: fragment for sign, (_, fragment) in written.items()})
    return orjson.dumps(form).decode(), written


def _row(stored: StoredChart, before_seq: int, form: str) -> tuple[Any, ...]:
    chart, admission = stored.chart, stored.chart.admission
    return (
        stored.chart_id,
        before_seq,
        chart.chart_seq,
        None if chart.due_ms is None else from_ms(chart.due_ms),
        admission and admission.ward,
        admission and admission.bed,
        admission and from_ms(admission.admitted_ms),
        form,
        *_watch_columns(stored),
    )


def _watch_columns(stored: StoredChart) -> tuple[Any, ...]:
    watch, until_ms = stored.watch, stored.watch_until_ms
    if watch is None:
        return None, None, None, None
    since_at = None if watch.since_ms is None else from_ms(watch.since_ms)
    return watch.state, watch.reason, since_at, None if until_ms is None else from_ms(until_ms)
