"""The ward: told what no single chart can see, such as several monitors silent at once or input that was lost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from domain.alarms import Alarm, Priority
from domain.alerts import Alert, Phase, Reason
from domain.news import News, Subject, alert_of
from domain.observations import Mode
from domain.protocol import Protocol
from domain.ward_alerts import WARD_SILENT, over, started, told

INPUT_PAUSED = "input-paused"
INPUT_LOST = "input-lost"

NO_WARD = ""
"""Stands for the patients who lie on no ward that the registry has told us of."""

_SAME_INTERVAL_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WardSignal:
    """A device of the ward fell silent, or came back; *subject* names patient and device."""

    ward: str
    mode: Mode
    subject: str
    is_silent: bool
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InputPause:
    """Nothing on an input partition that the ward's patients are on can be used, or it can again."""

    ward: str
    mode: Mode
    subject: str  # topic and partition
    is_paused: bool
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InputLoss:
    """What came between two moments on an input partition was deleted before it was read."""

    ward: str
    mode: Mode
    subject: str  # topic and partition
    from_ms: int
    until_ms: int
    at_ms: int  # when it was found


@dataclass(frozen=True, slots=True, kw_only=True)
class WardTick:
    """The clock reaching a moment for a ward, with nothing else to tell."""

    ward: str
    mode: Mode
    at_ms: int


WardEvent: TypeAlias = WardSignal | InputPause | InputLoss | WardTick


@dataclass(frozen=True, slots=True, kw_only=True)
class Ward:
    """The aggregate of one ward, keyed by (ward, mode): what is silent or paused there, since when.

    *due_ms* is when one of its alarms has stood for long enough.
    """

    ward: str
    mode: Mode
    lane: int
    ward_seq: int = 0
    clock_ms: int = 0
    due_ms: int | None = None
    silent: Mapping[str, int] = field(default_factory=dict)
    paused: Mapping[str, int] = field(default_factory=dict)
    alarms: Mapping[str, Alarm] = field(default_factory=dict)  # those that stand, by rule id


@dataclass(frozen=True, slots=True, kw_only=True)
class WardEvaluation:
    """What a few events did to a ward."""

    ward: Ward
    alerts: tuple[Alert, ...] = ()
    ended: tuple[Alarm, ...] = ()


def evaluate_ward(ward: Ward, events: Sequence[WardEvent], protocol: Protocol) -> WardEvaluation:
    """Work *events* of this ward into it, in their order.

    Enough devices silent within a short while are one HIGH technical alarm for the ward (clinical rule:
    three within 60 s); it ends when fewer than that many are silent. An input partition that is paused is one
    too, however many are. Input that was lost is told once, stands for a while and ends by itself.
    """
    alerts: list[Alert] = []
    ended: list[Alarm] = []
    for event in events:
        ward = replace(ward, clock_ms=max(ward.clock_ms, event.at_ms))
        ward, change = _take(ward, event, protocol)
        if change is None:
            continue
        subject = Subject(
            ward=ward.ward or None, mode=ward.mode, seq=ward.ward_seq + 1, clock_ms=ward.clock_ms
        )
        alerts.append(alert_of(subject, change, protocol))
        alarms = dict(ward.alarms)
        if change.phase is Phase.END:
            del alarms[change.alarm.rule_id]
            ended.append(change.alarm)
        else:
            alarms[change.alarm.rule_id] = change.alarm
        ward = replace(ward, alarms=alarms)
    return WardEvaluation(
        ward=replace(ward, ward_seq=ward.ward_seq + 1), alerts=tuple(alerts), ended=tuple(ended)
    )


def _take(ward: Ward, event: WardEvent, protocol: Protocol) -> tuple[Ward, News | None]:
    if isinstance(event, WardSignal):
        ward = replace(ward, silent=_listed(ward.silent, event.subject, event.at_ms, is_in=event.is_silent))
        return ward, _silence(ward, event, protocol)
    if isinstance(event, InputPause):
        ward = replace(ward, paused=_listed(ward.paused, event.subject, event.at_ms, is_in=event.is_paused))
        return ward, _pause(ward, event)
    if isinstance(event, InputLoss):
        return replace(ward, due_ms=event.at_ms + protocol.signals.input_lost_stands_ms), _loss(ward, event)
    return _tick(ward, event)


def _listed(before: Mapping[str, int], subject: str, at_ms: int, *, is_in: bool) -> Mapping[str, int]:
    listed = dict(before)
    if is_in:
        listed[subject] = at_ms
    else:
        listed.pop(subject, None)
    return listed


def _silence(ward: Ward, signal: WardSignal, protocol: Protocol) -> News | None:
    wanted = protocol.signals.ward_silent_devices
    cause = f"{signal.subject}\x1f{signal.at_ms}"
    if (alarm := ward.alarms.get(WARD_SILENT)) is not None:
        if len(ward.silent) >= wanted:
            return None
        return over(alarm, Reason.SIGNAL_BACK, signal.at_ms, cause)
    within = protocol.signals.ward_silent_within_ms
    together = [at_ms for at_ms in ward.silent.values() if abs(signal.at_ms - at_ms) <= within]
    if not signal.is_silent or len(together) < wanted:
        return None
    onset_ms = min(together)
    alarm = started(_key(ward), WARD_SILENT, Priority.HIGH, onset_ms, signal.at_ms, signal.subject)
    return told(alarm, Phase.START, Reason.WARD_SILENT, signal.at_ms, cause)


def _pause(ward: Ward, pause: InputPause) -> News | None:
    cause = f"{pause.subject}\x1f{pause.at_ms}"
    alarm = ward.alarms.get(INPUT_PAUSED)
    if alarm is None and ward.paused:
        alarm = started(_key(ward), INPUT_PAUSED, Priority.HIGH, pause.at_ms, pause.at_ms, pause.subject)
        return told(alarm, Phase.START, Reason.INPUT_PAUSED, pause.at_ms, cause)
    if alarm is not None and not ward.paused:
        return over(alarm, Reason.INPUT_RESUMED, pause.at_ms, cause)
    return None


def _loss(ward: Ward, loss: InputLoss) -> News | None:
    """Told once for all partitions; told again where another one makes it longer by more than a minute."""
    cause = f"{loss.subject}\x1f{loss.from_ms}\x1f{loss.until_ms}"
    alarm = ward.alarms.get(INPUT_LOST)
    if alarm is None:
        alarm = started(
            _key(ward),
            INPUT_LOST,
            Priority.MEDIUM,
            loss.from_ms,
            loss.until_ms,
            f"{loss.subject}/{loss.at_ms}",
        )
        return told(alarm, Phase.START, Reason.INPUT_LOST, loss.at_ms, cause)
    from_ms, until_ms = min(alarm.onset_ms, loss.from_ms), max(alarm.started_ms, loss.until_ms)
    longer_ms = (until_ms - from_ms) - (alarm.started_ms - alarm.onset_ms)
    if longer_ms <= _SAME_INTERVAL_MS:
        return None
    wider = replace(alarm, onset_ms=from_ms, started_ms=until_ms)
    return told(wider, Phase.UPDATE, Reason.INPUT_LOST, loss.at_ms, cause)


def _tick(ward: Ward, tick: WardTick) -> tuple[Ward, News | None]:
    if ward.due_ms is None or ward.due_ms > tick.at_ms:
        return ward, None
    alarm = ward.alarms.get(INPUT_LOST)
    due_ms, ward = ward.due_ms, replace(ward, due_ms=None)
    return ward, None if alarm is None else over(alarm, Reason.TOLD_LONG_ENOUGH, due_ms, f"due\x1f{due_ms}")


def _key(ward: Ward) -> tuple[Mode, str]:
    return ward.mode, f"ward\x1f{ward.ward}"
