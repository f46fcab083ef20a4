"""The register of episodes: every alarm that was announced, open or over."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from domain.alarms import Alarm, AlarmState, Kind, Priority
from domain.observations import Mode
from domain.times import from_ms
from persistence.connection import Connection, columns_of

_SAVE = """
INSERT INTO alarms AS a (episode_id, alarm_id, chart_id, ward, mode, rule_id, kind, vital_sign, state, priority,
                         onset_at, started_at, ended_at, value, value_at, updated_seq, device_id)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                     $9::text[], $10::smallint[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[],
                     $14::float8[], $15::timestamptz[], $16::bigint[], $17::text[])
ON CONFLICT (episode_id) DO UPDATE
SET ward = EXCLUDED.ward, state = EXCLUDED.state, priority = EXCLUDED.priority, started_at = EXCLUDED.started_at,
    ended_at = EXCLUDED.ended_at, value = EXCLUDED.value, value_at = EXCLUDED.value_at,
    updated_seq = EXCLUDED.updated_seq, updated_at = now()
"""
_OPEN = """
SELECT a.kind, a.priority, a.state, count(*) AS alarms
FROM alarms AS a LEFT JOIN charts AS c USING (chart_id) LEFT JOIN wards AS w ON w.ward = a.ward AND w.mode = a.mode
LEFT JOIN devices AS d ON d.device_id = a.device_id AND d.mode = a.mode
WHERE a.ended_at IS NULL AND coalesce(c.lane, w.lane, d.lane) = ANY($1::int[])
GROUP BY a.kind, a.priority, a.state
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """An alarm with what the register wants to know beside it: whose it is, and when it was over.

    *updated_seq* is the number of the chart, ward or device that it last changed with; *device_id* is told only
    where the alarm is about a device as a whole.
    """

    alarm: Alarm
    mode: Mode
    updated_seq: int
    chart_id: int | None = None
    ward: str | None = None
    device_id: str | None = None
    ended_at: datetime | None = None


class OpenAlarms(NamedTuple):
    """What open alarms are counted by."""

    kind: Kind
    priority: Priority
    state: AlarmState


class AlarmRepository:
    """Alarms from their first announcement on; one that lapses while pending was never here."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def save(self, episodes: Iterable[Episode]) -> None:
        """Write *episodes* as they are now; of the same one the last counts, pending ones are left out."""
        latest = {
            each.alarm.episode_id: each for each in episodes if each.alarm.state is not AlarmState.PENDING
        }
        # In the order of the key, so that two batches cannot wait for each other.
        rows = [_row(latest[episode_id]) for episode_id in sorted(latest)]
        if rows:
            await self._connection.execute(_SAVE, *columns_of(rows, 17))

    async def count_open(self, lanes: Iterable[int]) -> Mapping[OpenAlarms, int]:
        """Return how many alarms are open in *lanes*."""
        rows = await self._connection.fetch(_OPEN, list(lanes))
        return {
            OpenAlarms(Kind(row["kind"]), Priority(row["priority"]), AlarmState(row["state"])): row["alarms"]
            for row in rows
        }


def _row(episode: Episode) -> tuple[Any, ...]:
    alarm = episode.alarm
    return (
        alarm.episode_id,
        alarm.alarm_id,
        episode.chart_id,
        episode.ward,
        episode.mode,
        alarm.rule_id,
        alarm.kind,
        alarm.vital_sign,
        alarm.state,
        alarm.priority,
        from_ms(alarm.onset_ms),
        from_ms(alarm.started_ms),
        episode.ended_at,
        alarm.value,
        None if alarm.value_ms is None else from_ms(alarm.value_ms),
        episode.updated_seq,
        episode.device_id,
    )
