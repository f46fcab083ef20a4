"""What a test of the database is not about, filled in."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from domain.alarms import Alarm, AlarmState, Kind, Priority
from domain.chart import Admission, Chart
from domain.observations import Mode
from domain.times import to_ms
from domain.vital_signs import VitalSign
from persistence.chart_cache import ChartKey
from persistence.charts import StoredChart
from persistence.dead_letters import DeadLetterRow
from persistence.outbox import OutgoingRecord
from persistence.readings import ReadingRow

_WAITING = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


async def until_it_waits(task, connection):
    """Return once *task*'s transaction waits for a lock, as *connection* sees it."""
    while True:
        await connection.execute("SELECT pg_stat_clear_snapshot()")
        if await connection.fetchval(_WAITING):
            return
        assert not task.done(), "it did not wait"
        await asyncio.sleep(0.01)


def a_key(patient_id="P-1", mode=Mode.REAL):
    return ChartKey(patient_id, mode)


def changed(stored: StoredChart, **changes) -> StoredChart:
    """Return *stored* one step on."""
    chart: Chart = replace(stored.chart, chart_seq=stored.chart.chart_seq + 1, **changes)
    return StoredChart(stored.chart_id, chart)


def an_admission(ward="7B", bed="12"):
    return Admission(ward=ward, bed=bed, admitted_ms=to_ms(NOON))


def a_reading(number=0, *, chart_id=1, seconds=0, at=None, **changes):
    row = ReadingRow(
        chart_id=chart_id,
        observed_at=at or NOON + timedelta(seconds=seconds),
        reading_id=UUID(int=number),
        vital_sign=VitalSign.HEART_RATE,
        value=88.0,
        validity="valid",
        site=None,
        device=None,
        device_id="mon-7b-12",
        acquisition="continuous",
        message_id=f"m-{number}",
        received_at=NOON,
        chart_seq=1,
        flags=None,
        correlation_id=UUID(int=1),
    )
    return row._replace(**changes)


def a_record(value=b"{}", **changes):
    return replace(OutgoingRecord(topic="alerts", key=b"P-1", value=value), **changes)


def an_alarm(**changes):
    alarm = Alarm(
        alarm_id=UUID(int=7),
        episode_id=uuid4(),
        rule_id="hr-high",
        kind=Kind.PHYSIOLOGICAL,
        vital_sign=VitalSign.HEART_RATE,
        state=AlarmState.ACTIVE,
        priority=Priority.HIGH,
        onset_ms=to_ms(NOON),
        started_ms=to_ms(NOON),
        evidence=(),
        value=141.0,
        value_ms=to_ms(NOON),
    )
    return replace(alarm, **changes)


def a_dead_letter(**changes):
    row = DeadLetterRow(
        topic="vitals.readings.v1",
        partition=3,
        offset=41,
        position=0,
        received_at=NOON,
        stage="decode",
        reason="not_json",
        key=None,
        value=b"\xff\x00{",
        headers=(("trace", b"\x00\xff"), ("empty", b""), ("none", None), ("trace", b"again")),
        problem='{"title": "not JSON"}',
        device_id=None,
        correlation_id=UUID(int=1),
    )
    return row._replace(**changes)
