"""Alerts as the worker publishes them, with what a test is not about filled in."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from domain.alarms import AlarmState, Kind, Priority
from domain.alerts import Alert, Breach, Phase, Reason
from domain.observations import Mode
from domain.vital_signs import VitalSign
from worker.messages.alerts import alarm_state_record, alert_record
from worker.messages.heartbeats import Heartbeat, heartbeat_record
from worker.watch_ward import Arrival

TEN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
_NAMES = UUID(int=7)


def at(seconds):
    return TEN + timedelta(seconds=seconds)


def an_alert(name="spo2-low", **changes):
    """Return an alert about the alarm *name*: SpO2 84 % below 85 since ten o'clock, unless told otherwise."""
    facts = {
        "alert_id": uuid5(_NAMES, f"{name}/{sorted(changes.items(), key=str)}"), "episode_id": uuid5(_NAMES, f"{name}/1"),
        "alarm_id": uuid5(_NAMES, name), "chart_seq": 1, "phase": Phase.START, "reason": Reason.LIMIT_VIOLATED,
        "kind": Kind.PHYSIOLOGICAL, "state": AlarmState.ACTIVE, "priority": Priority.HIGH, "previous_priority": None,
        "rule_id": name, "protocol_id": "ward-adult", "protocol_version": "1", "protocol_hash": "ab" * 8,
        "patient_id": "P-000042", "mode": Mode.REAL, "ward": "7B", "bed": "4", "birth_year": 1960,
        "vital_sign": VitalSign.SPO2, "value": 84.0,
        "breach": Breach(side="low", threshold=85.0, is_inclusive=False, layer="protocol", source="test"),
        "device_id": "mon-1", "site": None, "observed_at": TEN, "received_at": TEN, "onset_at": TEN, "determined_at": TEN,
        "ended_at": None, "flags": (), "evidence": (), "correlation_id": None,
        "title": "Bed 4 (…0042): SpO2 84 %, limit below 85 %",
    }  # fmt: skip
    return Alert(**(facts | changes))


def the_end(name="spo2-low", **changes):
    over = {"phase": Phase.END, "reason": Reason.CLEARED, "state": AlarmState.INACTIVE, "ended_at": at(60)}
    return an_alert(name, **(over | changes))


def alert_arrival(alert, sequence=1):
    record = alert_record(alert, site="test")
    return Arrival(key=record.key, value=record.value, sequence=sequence, at=alert.determined_at)


def state_arrival(alert, sequence=1):
    record = alarm_state_record(alert)
    return Arrival(key=record.key, value=record.value, sequence=sequence, at=alert.determined_at)


def beat_arrival(lane, when):
    key, value, _ = heartbeat_record(
        Heartbeat(
            lane=lane,
            published_seq=1,
            last_seq=1,
            instance="a",
            protocol_hash="ab",
            is_degraded=False,
            lag_seconds=0.0,
            at=when,
        )
    )
    return Arrival(key=key, value=value, sequence=1, at=when)
