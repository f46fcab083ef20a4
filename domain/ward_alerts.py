"""What is said of a ward or a device as a whole: technical alarms without a patient."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from domain.alarms import Alarm, AlarmState, Kind, Priority
from domain.alerts import Alert, Phase, Reason
from domain.identities import alarm_id_of, alert_id_of, episode_id_of
from domain.observations import Mode
from domain.protocol import Protocol
from domain.times import from_ms
from domain.wording import Occasion, title_of

WARD_SILENT = "ward-silent"


class Change(NamedTuple):
    """An alarm as it stands from *at_ms* on, and why; *cause* tells this from every other change."""

    alarm: Alarm
    phase: Phase
    reason: Reason
    at_ms: int
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whom it is about: a ward, or a device on a ward that may be unknown; and how its aggregate stands."""

    ward: str
    mode: Mode
    seq: int
    clock_ms: int


def started(  # noqa: PLR0913, PLR0917  whose, what, how grave, since when
    key: tuple[Mode, str], rule_id: str, priority: Priority, onset_ms: int, started_ms: int, cause: str
) -> Alarm:
    """A technical alarm of the aggregate *key* that begins now."""
    alarm_id = alarm_id_of(*key, rule_id)
    return Alarm(
        alarm_id=alarm_id,
        episode_id=episode_id_of(alarm_id, onset_ms, cause),
        rule_id=rule_id,
        kind=Kind.TECHNICAL,
        vital_sign=None,
        state=AlarmState.ACTIVE,
        priority=priority,
        onset_ms=onset_ms,
        started_ms=started_ms,
        evidence=(),
    )


def over(alarm: Alarm, reason: Reason, at_ms: int, cause: str) -> Change:
    """The end of *alarm*."""
    return Change(replace(alarm, state=AlarmState.INACTIVE), Phase.END, reason, at_ms, cause)


def alert_of(subject: Subject, change: Change, protocol: Protocol) -> Alert:
    """What is announced of *change*."""
    alarm, at = change.alarm, from_ms(change.at_ms)
    occasion = Occasion(
        alarm=alarm,
        phase=change.phase,
        reason=change.reason,
        breach=None,
        flags=(),
        ward=subject.ward or None,
        bed=None,
        patient_id=None,
        observed_ms=change.at_ms,
        received_ms=change.at_ms,
    )
    return Alert(
        alert_id=alert_id_of(alarm.episode_id, change.phase, change.reason, change.cause),
        episode_id=alarm.episode_id,
        alarm_id=alarm.alarm_id,
        chart_seq=subject.seq,
        phase=change.phase,
        reason=change.reason,
        kind=alarm.kind,
        state=alarm.state,
        priority=alarm.priority,
        previous_priority=None,
        rule_id=alarm.rule_id,
        protocol_id=protocol.protocol_id,
        protocol_version=protocol.version,
        protocol_hash=protocol.digest,
        patient_id=None,
        mode=subject.mode,
        ward=subject.ward or None,
        bed=None,
        birth_year=None,
        vital_sign=None,
        value=None,
        breach=None,
        device_id=alarm.device_id,
        site=None,
        observed_at=at,
        received_at=at,
        onset_at=from_ms(alarm.onset_ms),
        determined_at=from_ms(subject.clock_ms),
        ended_at=at if change.phase is Phase.END else None,
        flags=(),
        evidence=(),
        correlation_id=None,
        title=title_of(occasion),
    )
