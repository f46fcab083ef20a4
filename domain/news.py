"""What is to be said about an alarm, and the alert that says it: made here alone, whoever it is about."""

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from domain.alarms import Alarm, AlarmState, Priority
from domain.alerts import Alert, Breach, Flag, Phase, Reason
from domain.identities import alert_id_of
from domain.observations import Mode
from domain.protocol import Protocol
from domain.times import from_ms
from domain.wording import Occasion, title_of


class Cause(NamedTuple):
    """What led to a change: *key* tells it from every other cause, the rest goes into its alerts."""

    key: str | UUID
    observed_ms: int
    received_ms: int
    flags: tuple[Flag, ...] = ()
    evidence: tuple[UUID, ...] = ()
    device_id: str | None = None
    site: str | None = None
    correlation_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Something to be said about an alarm, which stands as *alarm* says from then on."""

    alarm: Alarm
    phase: Phase
    reason: Reason
    cause: Cause
    breach: Breach | None = None
    previous: Priority | None = None

    @property
    def is_end(self) -> bool:
        """Whether the alarm is over with this; a late finding never was one."""
        return self.alarm.state is AlarmState.INACTIVE and self.phase is not Phase.TPOINT


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whom an alert is about, a patient, a ward or a device, and how far that one's aggregate has come."""

    mode: Mode
    seq: int
    clock_ms: int
    patient_id: str | None = None
    ward: str | None = None
    bed: str | None = None
    birth_year: int | None = None


def alert_of(subject: Subject, news: News, protocol: Protocol) -> Alert:
    """What is announced of *news*."""
    alarm, cause = news.alarm, news.cause
    return Alert(
        alert_id=alert_id_of(alarm.episode_id, news.phase, news.reason, cause.key),
        episode_id=alarm.episode_id,
        alarm_id=alarm.alarm_id,
        chart_seq=subject.seq,
        phase=news.phase,
        reason=news.reason,
        kind=alarm.kind,
        state=alarm.state,
        priority=alarm.priority,
        previous_priority=news.previous,
        rule_id=alarm.rule_id,
        protocol_id=protocol.protocol_id,
        protocol_version=protocol.version,
        protocol_hash=protocol.digest,
        patient_id=subject.patient_id,
        mode=subject.mode,
        ward=subject.ward,
        bed=subject.bed,
        birth_year=subject.birth_year,
        vital_sign=alarm.vital_sign,
        value=alarm.value,
        breach=news.breach,
        device_id=cause.device_id,
        site=cause.site,
        observed_at=from_ms(cause.observed_ms),
        received_at=from_ms(cause.received_ms),
        onset_at=from_ms(alarm.onset_ms),
        determined_at=from_ms(subject.clock_ms),
        ended_at=from_ms(cause.observed_ms) if news.is_end else None,
        flags=cause.flags,
        evidence=alarm.evidence,
        correlation_id=cause.correlation_id,
        title=title_of(_occasion(subject, news, protocol)),
    )


def _occasion(subject: Subject, news: News, protocol: Protocol) -> Occasion:
    return Occasion(
        alarm=news.alarm,
        phase=news.phase,
        reason=news.reason,
        breach=news.breach,
        flags=news.cause.flags,
        ward=subject.ward,
        bed=subject.bed,
        patient_id=subject.patient_id,
        observed_ms=news.cause.observed_ms,
        received_ms=news.cause.received_ms,
        sensor=_sensor(news.alarm.rule_id, protocol),
    )


def _sensor(rule_id: str, protocol: Protocol) -> str:
    """What staff call the sensor an alarm is about; no rule is asked for any other alarm, since it might fail."""
    return protocol.signals.display_of(rule_id) if rule_id.startswith("sensor-off/") else ""
