"""An alert of the domain becomes records: the alert itself, and the present state of its alarm."""

from typing import Final

import orjson

from domain.alarms import AlarmState, Priority
from domain.alerts import Alert, Phase, Reason
from domain.observations import Mode
from persistence.outbox import OutgoingRecord
from worker.messages.announced_shapes import Action
from worker.messages.announced_words import about_alarm, priority_word, rfc3339
from worker.messages.identity import text_of_id

ALERT_SCHEMA: Final = "urn:vigil:schema:vitals.alerts.v1"
ALARM_STATE_SCHEMA: Final = "urn:vigil:schema:vitals.alarm-state.v1"

_RESOLVES = frozenset({Phase.END, Phase.RESET})
_SEVERITY = {  # the numbers of OpenTelemetry's logs
    Priority.LOW: (b"WARN", b"13"),
    Priority.MEDIUM: (b"ERROR", b"17"),
    Priority.HIGH: (b"FATAL", b"21"),
}


def alert_record(alert: Alert, *, site: str) -> OutgoingRecord:
    """Return the record that announces *alert*; the same alert gives the same bytes."""
    return OutgoingRecord(
        topic="alerts" if alert.mode is Mode.REAL else "alerts_test",
        key=_subject_key(alert).encode(),
        value=orjson.dumps(_alert_value(alert), default=text_of_id),
        headers=_cloud_event(alert, site),
        ce_id=alert.alert_id,
        priority=int(alert.priority),
        observed_at=alert.observed_at,
        received_at=alert.received_at,
    )


def alarm_state_record(alert: Alert) -> OutgoingRecord | None:
    """Return the record that keeps the present state of *alert*'s alarm, without a value once it is over.

    None where there is nothing to keep: a late finding opens no alarm, and only real data is kept, because
    whoever joins late pages from these records.
    """
    if alert.phase is Phase.TPOINT or alert.mode is not Mode.REAL:
        return None
    return OutgoingRecord(
        topic="alarm_state",
        key=str(alert.alarm_id).encode(),
        value=None if alert.state is AlarmState.INACTIVE else _state_value(alert),
        headers=_state_headers(alert),
        ce_id=None,
        priority=int(alert.priority),
        observed_at=alert.observed_at,
        received_at=alert.received_at,
    )


def action_of(phase: Phase, reason: Reason) -> Action:
    """Return what a pager that knows four verbs is to do."""
    if phase in _RESOLVES:
        return "resolve"
    if phase is Phase.TPOINT:
        return "inform"  # a late finding: worth reading, nobody is paged for the past
    return "acknowledge" if reason is Reason.ACKNOWLEDGED else "trigger"


def _alert_value(alert: Alert) -> dict[str, object]:
    late = (alert.received_at - alert.observed_at).total_seconds()
    return about_alarm(alert) | {
        "alert_id": alert.alert_id,
        "dedup_key": alert.episode_id,
        "action": action_of(alert.phase, alert.reason),
        "phase": alert.phase,
        "reason": alert.reason,
        "previous_priority": priority_word(alert.previous_priority),
        "evidence": alert.evidence,
        "received_at": rfc3339(alert.received_at),
        "determined_at": rfc3339(alert.determined_at),
        "ended_at": None if alert.ended_at is None else rfc3339(alert.ended_at),
        "late_s": max(0.0, round(late, 3)),
        "correlation_id": alert.correlation_id,
    }


def _state_value(alert: Alert) -> bytes:
    told = about_alarm(alert) | {"updated_at": rfc3339(alert.determined_at)}
    return orjson.dumps(told, default=text_of_id)


def _subject_key(alert: Alert) -> str:
    return alert.patient_id or alert.ward or alert.device_id or "no-ward"


def _cloud_event(alert: Alert, site: str) -> tuple[tuple[str, bytes | None], ...]:
    """Return the headers of a CloudEvent in binary mode; the publisher adds `ce_sequence`."""
    key = _subject_key(alert)
    subject = f"{key}/{alert.vital_sign}" if alert.vital_sign else key
    severity_text, severity_number = _SEVERITY[alert.priority]
    headers: list[tuple[str, bytes | None]] = [
        ("content-type", b"application/json"),
        ("ce_specversion", b"1.0"),
        ("ce_id", str(alert.alert_id).encode()),
        ("ce_source", f"/vigil/{site}".encode()),
        ("ce_type", f"org.vigil.vitals.alert.{alert.phase}.v1".encode()),
        ("ce_time", rfc3339(alert.determined_at).encode()),
        ("ce_subject", subject.encode()),
        ("ce_dataschema", ALERT_SCHEMA.encode()),
        ("ce_partitionkey", key.encode()),
        ("ce_severitytext", severity_text),
        ("ce_severitynumber", severity_number),
    ]
    if alert.correlation_id is not None:
        headers.append(("correlation_id", str(alert.correlation_id).encode()))
    return tuple(headers)


def _state_headers(alert: Alert) -> tuple[tuple[str, bytes | None], ...]:
    return (
        ("content-type", b"application/json"),
        ("dataschema", ALARM_STATE_SCHEMA.encode()),
        ("alert_id", str(alert.alert_id).encode()),
    )
