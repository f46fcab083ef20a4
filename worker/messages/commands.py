"""A record of the commands topic becomes a command of the domain, or a refusal."""

from datetime import date, datetime
from typing import TypedDict, assert_never
from uuid import UUID

from pydantic import ValidationError

from domain.commands import AcknowledgeAlarm, Admit, CloseAlarm, Command, Discharge, Move
from domain.observations import Mode
from worker.messages.command_shapes import (
    AcknowledgeAlarmV1,
    AdmitV1,
    AnyCommandV1,
    CloseAlarmV1,
    CommandV1,
    DischargeV1,
    MoveV1,
)
from worker.messages.instants import not_in_future, parse_instant
from worker.messages.records import LARGEST_VALUE, Record, correlation_of, received_time
from worker.messages.refusals import ErrorAt, Refusal, RefusalReason
from worker.messages.shapes import errors_of
from worker.messages.troubles import trouble_with_message

_TAGS = ("admit", "move", "discharge", "acknowledge_alarm", "close_alarm")


class _Common(TypedDict):
    command_id: UUID
    patient_id: str
    issued_at: datetime
    received_at: datetime
    correlation_id: UUID
    issued_by: str | None
    mode: Mode
    is_replayed: bool


class _RefusedError(Exception):
    def __init__(self, reason: RefusalReason, errors: tuple[ErrorAt, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.errors = errors


def decode_command_record(record: Record) -> Command | Refusal:
    """Decode one record of the commands topic; never raises, whatever the bytes."""
    correlation_id = correlation_of(record)
    try:
        shape = _shape(record.value)
        return _command(shape, _common(shape, record, correlation_id))
    except _RefusedError as refused:
        return Refusal(reason=refused.reason, correlation_id=correlation_id, errors=refused.errors)
    except Exception:  # noqa: BLE001 (one poisoned record must not stop the ward; the reason shows it)
        return Refusal(reason=RefusalReason.DECODER_FAILED, correlation_id=correlation_id)


def _shape(value: bytes | None) -> AnyCommandV1:
    if value is None:
        raise _RefusedError(RefusalReason.NO_VALUE)
    if len(value) > LARGEST_VALUE:
        raise _RefusedError(RefusalReason.VALUE_TOO_LARGE)
    try:
        return CommandV1.model_validate_json(value).root
    except ValidationError as error:
        raise _RefusedError(*trouble_with_message(errors_of(error), inside=_TAGS)) from None


def _common(shape: AnyCommandV1, record: Record, correlation_id: UUID) -> _Common:
    received_at, is_replayed = received_time(record, shape.mode)
    if received_at is None:
        raise _RefusedError(RefusalReason.RECORD_TIME_UNUSABLE)
    issued_at = not_in_future(parse_instant(shape.issued_at), received_at, RefusalReason.ISSUED_IN_FUTURE)
    if isinstance(issued_at, RefusalReason):
        raise _RefusedError(issued_at, (ErrorAt("issued_at", issued_at),))
    return _Common(
        command_id=shape.command_id,
        patient_id=shape.patient_id,
        issued_at=issued_at,
        received_at=received_at,
        correlation_id=correlation_id,
        issued_by=shape.issued_by or None,
        mode=shape.mode,
        is_replayed=is_replayed,
    )


def _command(shape: AnyCommandV1, common: _Common) -> Command:
    match shape:
        case AdmitV1():
            return Admit(
                **common,
                ward=shape.ward,
                bed=shape.bed or None,
                birth_date=_date(shape.birth_date),
                sex=shape.sex,
                has_spo2_target_88_92=shape.spo2_target_88_92,
            )
        case MoveV1():
            return Move(**common, ward=shape.ward, bed=shape.bed or None)
        case DischargeV1():
            return Discharge(**common)
        case AcknowledgeAlarmV1():
            return AcknowledgeAlarm(**common, alarm_id=shape.alarm_id)
        case CloseAlarmV1():
            return CloseAlarm(**common, alarm_id=shape.alarm_id, reason=shape.reason or None)
        case _:
            assert_never(shape)


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise _RefusedError(
            RefusalReason.INVALID_TIME, (ErrorAt("birth_date", RefusalReason.INVALID_TIME),)
        ) from None
