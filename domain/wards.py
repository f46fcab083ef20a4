"""The ward: told when several of its monitors fall silent at once, which no single chart can see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from domain.alarms import Alarm, AlarmState, Kind, Priority
from domain.alerts import Alert, Phase, Reason
from domain.identities import alarm_id_of, alert_id_of, episode_id_of
from domain.observations import Mode
from domain.protocol import Protocol
from domain.times import from_ms
from domain.wording import Occasion, title_of


@dataclass(frozen=True, slots=True, kw_only=True)
class WardSignal:
    """A device of the ward fell silent, or came back; *subject* names patient and device."""

    ward: str
    mode: Mode
    subject: str
    is_silent: bool
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ward:
    """The aggregate of one ward, keyed by (ward, mode): which of its devices are silent, since when."""

    ward: str
    mode: Mode
    lane: int
    ward_seq: int = 0
    clock_ms: int = 0
    silent: Mapping[str, int] = field(default_factory=dict)
    alarm: Alarm | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WardEvaluation:
    """What a few signals did to a ward."""

    ward: Ward
    alerts: tuple[Alert, ...] = ()
    ended: tuple[Alarm, ...] = ()


def evaluate_ward(ward: Ward, signals: Sequence[WardSignal], protocol: Protocol) -> WardEvaluation:
    """Work *signals* of this ward into it, in their order.

    Enough devices silent within a short while are one HIGH technical alarm for the ward (clinical rule:
    three within 60 s); it ends when fewer than that many are silent.
    """
    alerts: list[Alert] = []
    ended: list[Alarm] = []
    for signal in signals:
        ward = _with_signal(ward, signal)
        change = _change(ward, signal, protocol)
        if change is None:
            continue
        alerts.append(_alert(ward, change, signal, protocol))
        is_over = change.phase is Phase.END
        ended.extend([change.alarm] if is_over else [])
        ward = replace(ward, alarm=None if is_over else change.alarm)
    return WardEvaluation(
        ward=replace(ward, ward_seq=ward.ward_seq + 1), alerts=tuple(alerts), ended=tuple(ended)
    )


@dataclass(frozen=True, slots=True)
class _Change:
    alarm: Alarm
    phase: Phase
    reason: Reason


def _with_signal(ward: Ward, signal: WardSignal) -> Ward:
    silent = dict(ward.silent)
    if signal.is_silent:
        silent[signal.subject] = signal.at_ms
    else:
        silent.pop(signal.subject, None)
    return replace(ward, silent=silent, clock_ms=max(ward.clock_ms, signal.at_ms))


def _change(ward: Ward, signal: WardSignal, protocol: Protocol) -> _Change | None:
    wanted = protocol.signals.ward_silent_devices
    if ward.alarm is not None:
        over = replace(ward.alarm, state=AlarmState.INACTIVE)
        return None if len(ward.silent) >= wanted else _Change(over, Phase.END, Reason.SIGNAL_BACK)
    within = protocol.signals.ward_silent_within_ms
    together = [at_ms for at_ms in ward.silent.values() if abs(signal.at_ms - at_ms) <= within]
    if not signal.is_silent or len(together) < wanted:
        return None
    return _Change(_started(ward, min(together), signal), Phase.START, Reason.WARD_SILENT)


def _started(ward: Ward, onset_ms: int, signal: WardSignal) -> Alarm:
    alarm_id = alarm_id_of(ward.mode, f"ward\x1f{ward.ward}", "ward-silent")
    return Alarm(
        alarm_id=alarm_id,
        episode_id=episode_id_of(alarm_id, onset_ms, signal.subject),
        rule_id="ward-silent",
        kind=Kind.TECHNICAL,
        vital_sign=None,
        state=AlarmState.ACTIVE,
        priority=Priority.HIGH,
        onset_ms=onset_ms,
        started_ms=signal.at_ms,
        evidence=(),
    )


def _alert(ward: Ward, change: _Change, signal: WardSignal, protocol: Protocol) -> Alert:
    alarm, at = change.alarm, from_ms(signal.at_ms)
    occasion = Occasion(
        alarm=alarm,
        phase=change.phase,
        reason=change.reason,
        breach=None,
        flags=(),
        ward=ward.ward,
        bed=None,
        patient_id=None,
        observed_ms=signal.at_ms,
        received_ms=signal.at_ms,
    )
    cause = f"{signal.subject}\x1f{signal.at_ms}"
    return Alert(
        alert_id=alert_id_of(alarm.episode_id, change.phase, change.reason, cause),
        episode_id=alarm.episode_id,
        alarm_id=alarm.alarm_id,
        chart_seq=ward.ward_seq + 1,
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
        mode=ward.mode,
        ward=ward.ward,
        bed=None,
        birth_year=None,
        vital_sign=None,
        value=None,
        breach=None,
        device_id=None,
        site=None,
        observed_at=at,
        received_at=at,
        onset_at=from_ms(alarm.onset_ms),
        determined_at=from_ms(ward.clock_ms),
        ended_at=at if change.phase is Phase.END else None,
        flags=(),
        evidence=(),
        correlation_id=None,
        title=title_of(occasion),
    )
