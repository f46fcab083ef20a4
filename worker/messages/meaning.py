"""What one reading says: its value in the canonical unit and its validity, or why it says nothing."""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from domain.observations import Validity
from domain.vital_signs import (
    Consciousness,
    UnitNotAcceptedError,
    VitalSign,
    in_canonical_unit,
    is_absent,
    is_possible,
)
from worker.messages.refusals import RefusalReason
from worker.messages.shapes import ReadingV1

CODES: Mapping[VitalSign, Mapping[str, float]] = {
    VitalSign.CONSCIOUSNESS: {level.name: float(level) for level in Consciousness},
    VitalSign.OXYGEN_THERAPY: {"air": 0.0},
}
"""The values that are told by a word, which needs no unit."""

TOLD_BY_CODE_ONLY = frozenset({VitalSign.CONSCIOUSNESS})


class Meaning(NamedTuple):
    """A value in the sign's canonical unit, and whether it may be judged."""

    value: float | None
    validity: Validity


class Nonsense(NamedTuple):
    """Why a reading has no meaning, and in which of its fields that shows."""

    reason: RefusalReason
    field: str


def meaning_of(reading: ReadingV1) -> Meaning | Nonsense:
    """Return what *reading* says.

    A zero from a monitor, a sentinel and a validity that may not be judged are news of the signal and never
    refused, whatever else is wrong with the value.
    """
    if reading.value is None:
        return _without_value(reading)
    return _told(reading.vital_sign, reading.value, reading.unit, reading.validity or Validity.VALID)


@lru_cache(maxsize=8192)  # vital signs are whole numbers or tenths: a ward's are nearly always the same few
def _told(sign: VitalSign, value: float | str, unit: str | None, validity: Validity) -> Meaning | Nonsense:
    if not validity.is_usable:
        return Meaning(_as_far_as_known(sign, value, unit), validity)
    if isinstance(value, str):
        return _coded(sign, value, unit, validity)
    if is_absent(sign, value):
        return Meaning(value + 0.0, Validity.ABSENT)
    return _measured(sign, value, unit, validity)


def _without_value(reading: ReadingV1) -> Meaning | Nonsense:
    """Judge a reading with no value; an explicit null with no validity beside it says "absent"."""
    if reading.validity is None and "value" in reading.model_fields_set:
        return Meaning(None, Validity.ABSENT)
    if reading.validity is None or reading.validity.is_usable:
        return Nonsense(RefusalReason.VALUE_MISSING, "value")
    return Meaning(None, reading.validity)


def _as_far_as_known(sign: VitalSign, value: float | str, unit: str | None) -> float | None:
    """Return a value that will not be judged, where it has one in the canonical unit."""
    if isinstance(value, str):
        return CODES.get(sign, {}).get(value)
    if is_absent(sign, value):
        return value + 0.0
    converted = _converted(sign, value, unit)
    return converted if isinstance(converted, float) else None


def _coded(sign: VitalSign, code: str, unit: str | None, validity: Validity) -> Meaning | Nonsense:
    codes = CODES.get(sign)
    if codes is None:
        return Nonsense(RefusalReason.VALUE_WRONG_TYPE, "value")
    value = codes.get(code)
    if value is None:
        return Nonsense(RefusalReason.UNKNOWN_VALUE_CODE, "value")
    if unit:
        converted = _converted(sign, value, unit)
        return converted if isinstance(converted, Nonsense) else Meaning(value, validity)
    return Meaning(value, validity)


def _measured(sign: VitalSign, value: float, unit: str | None, validity: Validity) -> Meaning | Nonsense:
    if sign in TOLD_BY_CODE_ONLY:
        return Nonsense(RefusalReason.VALUE_WRONG_TYPE, "value")
    converted = _converted(sign, value, unit)
    if isinstance(converted, Nonsense):
        return converted
    if not is_possible(sign, converted):
        return Nonsense(RefusalReason.IMPOSSIBLE_VALUE, "value")
    return Meaning(converted, validity)


def _converted(sign: VitalSign, value: float, unit: str | None) -> float | Nonsense:
    if not unit:
        return Nonsense(RefusalReason.UNIT_MISSING, "unit")
    try:
        return in_canonical_unit(sign, value, unit) + 0.0  # no negative zero: it would be another reading id
    except UnitNotAcceptedError:
        return Nonsense(RefusalReason.UNIT_NOT_ACCEPTED, "unit")
    except ArithmeticError:  # too large to convert
        return Nonsense(RefusalReason.IMPOSSIBLE_VALUE, "value")
