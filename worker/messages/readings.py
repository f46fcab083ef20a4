"""A record of the readings topic becomes an observation set; what cannot be used of it becomes refusals."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from pydantic import ValidationError

from domain.observations import ObservationSet, Reading
from worker.messages.identity import reading_id
from worker.messages.instants import not_in_future, parse_instant
from worker.messages.meaning import Nonsense, meaning_of
from worker.messages.records import LARGEST_VALUE, Record, correlation_of, received_time
from worker.messages.refusals import ErrorAt, Refusal, RefusalReason
from worker.messages.shapes import BadReading, ObservationSetV1, ReadingV1, TolerantSetV1, errors_of
from worker.messages.troubles import Trouble, at_reading, trouble_with_message, trouble_with_reading

_validate = ObservationSetV1.__pydantic_validator__.validate_json  # without the method around it: 0.4 µs


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a record came to: every reading of it is either in *observation* or in *refusals*."""

    observation: ObservationSet | None
    refusals: tuple[Refusal, ...] = ()


def decode_reading_record(record: Record) -> Decoded:
    """Decode one record of the readings topic; never raises, whatever the bytes.

    The record's key is not asked: where it differs, the patient of the message counts.
    """
    correlation_id = correlation_of(record)
    try:
        return _decode(record, correlation_id)
    except Exception:  # noqa: BLE001 (one poisoned record must not stop the ward; the reason shows it)
        return _refused(RefusalReason.DECODER_FAILED, correlation_id)


def _decode(record: Record, correlation_id: UUID) -> Decoded:
    value = record.value
    if value is None:
        return _refused(RefusalReason.NO_VALUE, correlation_id)
    if len(value) > LARGEST_VALUE:
        return _refused(RefusalReason.VALUE_TOO_LARGE, correlation_id)
    try:
        return _observation(record, _validate(value), correlation_id)
    except ValidationError:
        return _decode_in_parts(record, value, correlation_id)


def _decode_in_parts(record: Record, value: bytes, correlation_id: UUID) -> Decoded:
    """Take the envelope apart, so that a bad reading does not cost its set."""
    try:
        message = TolerantSetV1.model_validate_json(value)
    except ValidationError as error:
        reason, errors = trouble_with_message(errors_of(error))
        return _refused(reason, correlation_id, errors=errors)
    return _observation(record, message, correlation_id)


def _observation(record: Record, message: ObservationSetV1 | TolerantSetV1, correlation_id: UUID) -> Decoded:
    received_at, is_replayed = received_time(record, message.mode)
    if received_at is None:
        return _refused(RefusalReason.RECORD_TIME_UNUSABLE, correlation_id, message=message)
    observed_at = not_in_future(
        parse_instant(message.observed_at), received_at, RefusalReason.OBSERVED_IN_FUTURE
    )
    if isinstance(observed_at, RefusalReason):
        errors = (ErrorAt("observed_at", observed_at),)
        return _refused(observed_at, correlation_id, errors=errors, message=message)
    readings, refusals = _readings(message, observed_at, correlation_id)
    if not readings:
        return Decoded(None, refusals)
    return Decoded(
        ObservationSet(
            message_id=message.message_id,
            patient_id=message.patient_id,
            device_id=message.device_id,
            observed_at=observed_at,
            received_at=received_at,
            readings=readings,
            correlation_id=correlation_id,
            acquisition=message.acquisition,
            mode=message.mode,
            is_replayed=is_replayed,
        ),
        refusals,
    )


def _readings(
    message: ObservationSetV1 | TolerantSetV1, observed_at: datetime, correlation_id: UUID
) -> tuple[tuple[Reading, ...], tuple[Refusal, ...]]:
    """Return the readings that say something, and a refusal for each that does not."""
    shapes: Sequence[ReadingV1 | BadReading] = message.readings
    readings: list[Reading] = []
    refusals: list[Refusal] = []
    for position, shape in enumerate(shapes, start=1):
        outcome = (
            _reading(message, shape, observed_at, position)
            if isinstance(shape, ReadingV1)
            else trouble_with_reading(shape.errors, position)
        )
        if isinstance(outcome, Reading):
            readings.append(outcome)
        else:
            refusals.append(
                Refusal(
                    reason=outcome.reason,
                    correlation_id=correlation_id,
                    errors=outcome.errors,
                    position=position,
                    device_id=message.device_id,
                    mode=message.mode,
                    acquisition=message.acquisition,
                )
            )
    return tuple(readings), tuple(refusals)


def _reading(
    message: ObservationSetV1 | TolerantSetV1, shape: ReadingV1, observed_at: datetime, position: int
) -> Reading | Trouble:
    meaning = meaning_of(shape)
    if isinstance(meaning, Nonsense):
        return Trouble(meaning.reason, (at_reading(position, meaning.field, meaning.reason),))
    value, validity = meaning
    site, device = shape.site or None, shape.device or None
    return Reading(
        reading_id=reading_id(
            mode=message.mode,
            patient_id=message.patient_id,
            device_id=message.device_id,
            vital_sign=shape.vital_sign,
            site=site,
            observed_at=observed_at,
            value=value,
            validity=validity,
            device=device,
        ),
        vital_sign=shape.vital_sign,
        value=value,
        validity=validity,
        site=site,
        device=device,
    )


def _refused(
    reason: RefusalReason,
    correlation_id: UUID,
    *,
    errors: tuple[ErrorAt, ...] = (),
    message: ObservationSetV1 | TolerantSetV1 | None = None,
) -> Decoded:
    """Refuse the whole record; *message* is what could be read of it."""
    refusal = Refusal(reason=reason, correlation_id=correlation_id, errors=errors)
    if message is not None:
        refusal = replace(
            refusal, device_id=message.device_id, mode=message.mode, acquisition=message.acquisition
        )
    return Decoded(None, (refusal,))
