"""How domain values are written in what Vigil announces."""

from datetime import UTC, datetime
from typing import Any

from domain.alarms import Priority
from domain.alerts import Alert
from domain.vital_signs import DEFINITIONS, Consciousness, VitalSign

_LETTERS = {float(level): level.name for level in Consciousness}


def rfc3339(instant: datetime) -> str:
    """Return *instant* in UTC, to the millisecond, which is as fine as the domain thinks."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def value_word(sign: VitalSign | None, value: float | None) -> float | str | None:
    """Return *value* as a reader expects it: a level of consciousness by its letter, air as no flow."""
    if sign is VitalSign.CONSCIOUSNESS and value is not None:
        return _LETTERS.get(value, value)
    return value


def about_alarm(alert: Alert) -> dict[str, Any]:
    """Return what an alert and an alarm's state both tell, in the order in which it is published."""
    return {
        "schema_version": 1,
        "alarm_id": alert.alarm_id,
        "episode_id": alert.episode_id,
        "chart_seq": alert.chart_seq,
        "kind": alert.kind,
        "state": alert.state,
        "priority": alert.priority.word,
        "mode": alert.mode,
        "patient_id": alert.patient_id,
        "birth_year": alert.birth_year,
        "location": {"ward": alert.ward, "bed": alert.bed},
        "vital": _vital(alert.vital_sign),
        "value": value_word(alert.vital_sign, alert.value),
        "limit": _limit(alert),
        "rule": {
            "id": alert.rule_id,
            "protocol": alert.protocol_id,
            "version": alert.protocol_version,
            "hash": alert.protocol_hash,
        },
        "device_id": alert.device_id,
        "site": alert.site,
        "flags": alert.flags,
        "observed_at": rfc3339(alert.observed_at),
        "onset_at": rfc3339(alert.onset_at),
        "title": alert.title,
    }


def priority_word(priority: Priority | None) -> str | None:
    """Return the wire's word for *priority*."""
    return None if priority is None else priority.word


def _vital(sign: VitalSign | None) -> dict[str, str] | None:
    if sign is None:
        return None
    definition = DEFINITIONS[sign]
    return {"name": sign, "code": definition.loinc, "display": definition.display, "unit": definition.unit}


def _limit(alert: Alert) -> dict[str, Any] | None:
    breach = alert.breach
    if breach is None:
        return None
    return {
        "side": breach.side,
        "measure": breach.measure,
        "threshold": value_word(alert.vital_sign, breach.threshold),
        "inclusive": breach.is_inclusive,
        "layer": breach.layer,
        "source": breach.source,
    }
