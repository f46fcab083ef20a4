"""Builders of alerts; a builder fills in what the test is not about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.alarms import AlarmState, Kind, Priority
from domain.alerts import Alert, Breach, Flag, Phase, Reason
from domain.observations import Mode
from domain.vital_signs import VitalSign

NOW = datetime(2026, 11, 23, 10, 15, 2, 500_000, tzinfo=UTC)
AN_ALERT = Alert(
    alert_id=UUID(int=1),
    episode_id=UUID(int=2),
    alarm_id=UUID(int=3),
    chart_seq=17,
    phase=Phase.START,
    reason=Reason.LIMIT_VIOLATED,
    kind=Kind.PHYSIOLOGICAL,
    state=AlarmState.ACTIVE,
    priority=Priority.HIGH,
    previous_priority=None,
    rule_id="spo2-low",
    protocol_id="ward-adult",
    protocol_version="1.0.0",
    protocol_hash="abc",
    patient_id="P-0042",
    mode=Mode.REAL,
    ward="7B",
    bed="12",
    birth_year=1960,
    vital_sign=VitalSign.SPO2,
    value=79.0,
    breach=Breach(side="low", threshold=80.0, is_inclusive=False, layer="product", source="BTS 2017"),
    device_id="mon-7b-12",
    site=None,
    observed_at=NOW - timedelta(seconds=2, milliseconds=250),
    received_at=NOW,
    onset_at=NOW - timedelta(seconds=2, milliseconds=250),
    determined_at=NOW,
    ended_at=None,
    flags=(Flag.SUSPECT,),
    evidence=(UUID(int=4), UUID(int=5)),
    correlation_id=UUID(int=6),
    title="SpO2 79 % below 80 %",
)


def an_alert(**more: Any) -> Alert:
    return replace(AN_ALERT, **more)
