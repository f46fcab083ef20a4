"""Readings and sets that cannot be are refused where they are made."""

from datetime import datetime

import pytest

from domain.observations import Reading, Validity
from domain.times import duration_ms, from_ms, to_ms
from domain.vital_signs import VitalSign
from tests.builders import a_reading, a_set, at

NAIVE = datetime(2026, 6, 1, 8)  # noqa: DTZ001


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_value_is_a_finite_number(value):
    with pytest.raises(ValueError, match="value must be a finite number"):
        a_reading(VitalSign.SPO2, value)


@pytest.mark.parametrize("validity", [Validity.VALID, Validity.QUESTIONABLE])
def test_a_usable_reading_has_a_value(validity):
    with pytest.raises(ValueError, match="a usable reading must have a value"):
        a_reading(VitalSign.SPO2, None, validity=validity)


@pytest.mark.parametrize("validity", [Validity.ABSENT, Validity.INVALID, Validity.CALIBRATING])
def test_what_is_not_usable_needs_none(validity):
    reading = a_reading(VitalSign.SPO2, None, validity=validity)

    assert isinstance(reading, Reading)
    assert not reading.validity.is_usable


@pytest.mark.parametrize("name", ["observed_at", "received_at"])
def test_times_carry_a_zone(name):
    whole = a_set(0, spo2=97)
    fields = {field: getattr(whole, field) for field in type(whole).__dataclass_fields__} | {name: NAIVE}

    with pytest.raises(ValueError, match="must carry a time zone"):
        type(whole)(**fields)


def test_milliseconds_are_exact_and_rounded_down():
    instant = at(0).replace(microsecond=123_999)

    assert to_ms(instant) % 1000 == 123
    assert from_ms(to_ms(instant)) == instant.replace(microsecond=123_000)
    assert duration_ms(at(1.5) - at(0)) == 1500
