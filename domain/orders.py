"""What commands do to a chart: admit, move, discharge, acknowledge, close."""

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import Any

from domain.alarms import Alarm, AlarmState, Trigger, next_state
from domain.alerts import Phase, Reason
from domain.chart import Admission
from domain.commands import AcknowledgeAlarm, Admit, CloseAlarm, Command, Discharge, Move
from domain.draft import Draft
from domain.news import Cause, News
from domain.overdue import forget_device, leave_ward
from domain.times import to_ms


class Refusal(StrEnum):
    """Why a command had no effect."""

    NO_SUCH_ALARM = "no_such_alarm"  # not one that stands on this patient's chart
    NOT_ADMITTED = "not_admitted"  # a move or a discharge of someone who is not here


def obey(draft: Draft, command: Command) -> Refusal | None:
    """Carry out *command* on *draft*; the reason where it could not be."""
    return _ACTIONS[type(command)](draft, command, _cause_of(command))


def _cause_of(command: Command) -> Cause:
    return Cause(
        key=str(command.command_id),
        observed_ms=to_ms(command.issued_at),
        received_ms=to_ms(command.received_at),
        correlation_id=command.correlation_id,
    )


def _admit(draft: Draft, command: Admit, cause: Cause) -> None:
    if draft.ward != command.ward:
        leave_ward(draft, cause.received_ms)
    draft.admission = Admission(
        ward=command.ward,
        bed=command.bed,
        birth_date=command.birth_date,
        sex=command.sex,
        has_spo2_target_88_92=command.has_spo2_target_88_92,
        admitted_ms=cause.observed_ms,
    )
    _say_where(draft, cause)


def _move(draft: Draft, command: Move, cause: Cause) -> Refusal | None:
    if draft.admission is None:
        return Refusal.NOT_ADMITTED
    if draft.ward != command.ward:
        leave_ward(draft, cause.received_ms)
    draft.admission = replace(draft.admission, ward=command.ward, bed=command.bed)
    _say_where(draft, cause)
    return None


def _say_where(draft: Draft, cause: Cause) -> None:
    """Whoever is on the way to an alarm must learn that its patient lies elsewhere now."""
    was, now = draft.admission_before, draft.admission
    if now is None or (was is not None and (was.ward, was.bed) == (now.ward, now.bed)):
        return
    for alarm in list(draft.alarms.values()):
        draft.announce(News(alarm=alarm, phase=Phase.UPDATE, reason=Reason.MOVED, cause=cause))


def _discharge(draft: Draft, _command: Discharge, cause: Cause) -> Refusal | None:
    if draft.admission is None and not draft.tracks:
        return Refusal.NOT_ADMITTED
    for alarm in list(draft.alarms.values()):
        draft.end(alarm, Reason.DISCHARGED, cause)
    for device_id in list(draft.devices):
        forget_device(draft, device_id, cause.received_ms)
    draft.tracks.clear()
    draft.admission = None
    return None


def _acknowledge(draft: Draft, command: AcknowledgeAlarm, cause: Cause) -> Refusal | None:
    alarm = _standing(draft, command)
    if alarm is None:
        return Refusal.NO_SUCH_ALARM
    state = next_state(alarm.state, Trigger.ACKNOWLEDGED)
    if state is not alarm.state:
        phase = Phase.RESET if state is AlarmState.INACTIVE else Phase.UPDATE
        seen = replace(alarm, state=state)
        draft.announce(News(alarm=seen, phase=phase, reason=Reason.ACKNOWLEDGED, cause=cause))
    return None


def _close(draft: Draft, command: CloseAlarm, cause: Cause) -> Refusal | None:
    alarm = _standing(draft, command)
    if alarm is None:
        return Refusal.NO_SUCH_ALARM
    draft.end(alarm, Reason.CLOSED, cause)
    if alarm.rule_id.startswith("signal-overdue/") and alarm.device_id is not None:
        forget_device(draft, alarm.device_id, cause.received_ms)
    return None


def _standing(draft: Draft, command: AcknowledgeAlarm | CloseAlarm) -> Alarm | None:
    return next((alarm for alarm in draft.alarms.values() if alarm.alarm_id == command.alarm_id), None)


_ACTIONS: dict[type[Command], Callable[[Draft, Any, Cause], Refusal | None]] = {
    Admit: _admit,
    Move: _move,
    Discharge: _discharge,
    AcknowledgeAlarm: _acknowledge,
    CloseAlarm: _close,
}
