"""Units, zeros and sentinels, what is impossible and what is suspect, and rounding."""

import re

import pytest

from domain.vital_signs import (
    DEFINITIONS,
    NO_VALUE,
    Consciousness,
    UnitNotAcceptedError,
    VitalSign,
    in_canonical_unit,
    is_absent,
    is_possible,
    is_suspect,
    rounded,
)


@pytest.mark.parametrize(
    ("sign", "value", "unit", "canonical"),
    [
        ("heart_rate", 72, "/min", 72), ("heart_rate", 72.4, "{beats}/min", 72.4), ("heart_rate", 72, "264864", 72),
        ("pulse", 72, "/min", 72), ("pulse", 72, "{beats}/min", 72), ("pulse", 72, "264864", 72),
        ("respiratory_rate", 16, "/min", 16), ("respiratory_rate", 16, "{breaths}/min", 16),
        ("respiratory_rate", 16, "264928", 16),
        ("spo2", 97, "%", 97), ("spo2", 97, "262688", 97), ("spo2", 0.97, "1", 97), ("spo2", 0.915, "1", 91.5),
        ("body_temperature", 38.05, "Cel", 38.05), ("body_temperature", 38, "268192", 38),
        ("body_temperature", 100.4, "[degF]", 38.0), ("body_temperature", 100.5, "[degF]", 38.1),
        ("body_temperature", 95.0, "[degF]", 35.0), ("body_temperature", 102.3, "268160", 39.1),
        ("body_temperature", 98.6, "[degF]", 37.0), ("body_temperature", 0, "[degF]", -17.8),
        ("systolic_pressure", 120, "mm[Hg]", 120), ("systolic_pressure", 16, "kPa", 120.0),
        ("diastolic_pressure", 10, "kPa", 75.0), ("mean_pressure", 12, "266016", 12), ("mean_pressure", 12, "kPa", 90.0),
        ("consciousness", 1, "{ACVPU}", 1), ("oxygen_therapy", 2, "L/min", 2), ("gcs", 14, "{score}", 14),
        ("body_weight", 71.35, "kg", 71.35), ("body_weight", 3450, "g", 3.5), ("body_weight", 150, "[lb_av]", 68.0),
        ("body_height", 171, "cm", 171), ("body_height", 1.71, "m", 171.0), ("body_height", 70, "[in_i]", 177.8),
    ],
)  # fmt: skip
def test_a_declared_unit_becomes_the_canonical_one(sign, value, unit, canonical):
    assert in_canonical_unit(VitalSign(sign), value, unit) == canonical


@pytest.mark.parametrize(
    ("sign", "unit"),
    [
        ("heart_rate", "Hz"), ("heart_rate", "/s"), ("spo2", "mm[Hg]"), ("body_temperature", "K"),
        ("body_temperature", "degC"), ("body_temperature", ""), ("systolic_pressure", "mmHg"), ("gcs", "1"),
    ],
)  # fmt: skip
def test_a_unit_is_never_guessed(sign, unit):
    accepted = ", ".join(DEFINITIONS[VitalSign(sign)].units)

    with pytest.raises(UnitNotAcceptedError, match=re.escape(f"{sign} is measured in {accepted}")):
        in_canonical_unit(VitalSign(sign), 1, unit)


@pytest.mark.parametrize("value", [NO_VALUE, float("inf"), float("-inf")])
def test_a_sentinel_and_what_is_no_number_are_not_converted(value):
    assert in_canonical_unit(VitalSign.BODY_TEMPERATURE, value, "[degF]") == value
    assert NO_VALUE == 0x7FFFFF


@pytest.mark.parametrize(
    ("sign", "value", "judged"),
    [
        ("body_temperature", 38.05, 38.1), ("body_temperature", 38.04, 38.0), ("body_temperature", 39.0999985, 39.1),
        ("body_temperature", 35.05, 35.1), ("body_temperature", 35.04, 35.0), ("body_temperature", 36.6, 36.6),
        ("body_temperature", 39.1, 39.1), ("body_temperature", 37, 37),
        ("respiratory_rate", 8.5, 9), ("respiratory_rate", 8.4, 8), ("respiratory_rate", 9.5, 10),
        ("spo2", 91.5, 92), ("spo2", 91.4, 91), ("spo2", 92, 92), ("heart_rate", 130.5, 131),
        ("heart_rate", 0.5, 1), ("oxygen_therapy", 0.25, 0.3),
    ],
)  # fmt: skip
def test_a_value_is_rounded_half_up_once_to_what_it_is_judged_at(sign, value, judged):
    assert rounded(VitalSign(sign), value) == judged


# sign, lowest possible, highest possible, suspect below, suspect above, smallest step of a device
RANGES = [
    ("heart_rate", 0.1, 299.9, 30, 220), ("pulse", 0.1, 299.9, 30, 220), ("respiratory_rate", 0.1, 80, 5, 50),
    ("spo2", 1, 100, 70, None), ("body_temperature", 25, 45, 34, 41.5), ("systolic_pressure", 20.1, 299.9, 50, 250),
    ("diastolic_pressure", 10.1, 199.9, 25, 140), ("mean_pressure", 10.1, 249.9, 35, 180), ("gcs", 3, 15, None, None),
    ("consciousness", 0, 4, None, None), ("oxygen_therapy", 0, 100, None, None), ("body_weight", 0.2, 500, None, None),
    ("body_height", 20, 260, None, None),
]  # fmt: skip


@pytest.mark.parametrize(("sign", "low", "high"), [row[:3] for row in RANGES])
def test_both_ends_of_the_possible_range_are_possible_and_nothing_beyond(sign, low, high):
    sign = VitalSign(sign)

    assert is_possible(sign, low)
    assert is_possible(sign, high)
    assert not is_possible(sign, round(low - 0.1, 6))
    assert not is_possible(sign, round(high + 0.1, 6))


@pytest.mark.parametrize(("sign", "low", "high"), [(sign, low, high) for sign, _, _, low, high in RANGES])
def test_a_value_is_suspect_only_beyond_its_edge(sign, low, high):
    sign = VitalSign(sign)

    if low is not None:
        assert not is_suspect(sign, low)
        assert is_suspect(sign, low - 0.1)
    if high is not None:
        assert not is_suspect(sign, high)
        assert is_suspect(sign, high + 0.1)
    if low is None and high is None:
        assert not is_suspect(sign, -1e6)
    if high is None:
        assert not is_suspect(sign, 1e6)


def test_every_sign_has_a_definition_and_a_row_in_this_test():
    assert set(DEFINITIONS) == set(VitalSign)
    assert {row[0] for row in RANGES} == {sign.value for sign in VitalSign}


@pytest.mark.parametrize(("sign", "value"), [("gcs", 14.5), ("consciousness", 0.5)])
def test_a_score_is_a_whole_number(sign, value):
    assert not is_possible(VitalSign(sign), value)


@pytest.mark.parametrize(
    ("value", "why"),
    [(98.6, "Fahrenheit declared as Celsius"), (-17.8, "0 °F converted")],
    ids=["98.6", "-17.8"],
)
def test_a_temperature_in_the_wrong_unit_is_impossible(value, why):
    assert not is_possible(VitalSign.BODY_TEMPERATURE, value), why


def test_a_saturation_as_a_fraction_declared_as_percent_is_impossible():
    assert not is_possible(VitalSign.SPO2, 0.97)


@pytest.mark.parametrize("sign", list(VitalSign))
def test_the_sentinel_is_no_value_of_any_sign(sign):
    assert is_absent(sign, 8388607)


ZERO_IS_A_VALUE = {VitalSign.CONSCIOUSNESS, VitalSign.OXYGEN_THERAPY, VitalSign.GCS}


@pytest.mark.parametrize("sign", list(VitalSign))
def test_a_zero_is_no_value_where_no_living_patient_has_it(sign):
    assert is_absent(sign, 0) is (sign not in ZERO_IS_A_VALUE)
    assert not is_absent(sign, 1)


def test_only_weight_and_height_are_stored_and_never_judged():
    stored = {sign for sign, definition in DEFINITIONS.items() if definition.stored_only}

    assert stored == {VitalSign.BODY_WEIGHT, VitalSign.BODY_HEIGHT}


@pytest.mark.parametrize(
    ("sign", "loinc", "unit", "display"),
    [
        ("heart_rate", "8867-4", "/min", "heart rate"), ("pulse", "8889-8", "/min", "pulse"),
        ("respiratory_rate", "9279-1", "/min", "respiratory rate"), ("spo2", "59408-5", "%", "SpO2"),
        ("body_temperature", "8310-5", "Cel", "temperature"),
        ("systolic_pressure", "8480-6", "mm[Hg]", "systolic pressure"),
        ("diastolic_pressure", "8462-4", "mm[Hg]", "diastolic pressure"),
        ("mean_pressure", "8478-0", "mm[Hg]", "mean pressure"),
        ("consciousness", "80288-4", "{ACVPU}", "consciousness"), ("oxygen_therapy", "3151-8", "L/min", "oxygen flow"),
        ("gcs", "9269-2", "{score}", "Glasgow coma scale"), ("body_weight", "29463-7", "kg", "weight"),
        ("body_height", "8302-2", "cm", "height"),
    ],
)  # fmt: skip
def test_a_sign_has_its_code_and_unit(sign, loinc, unit, display):
    definition = DEFINITIONS[VitalSign(sign)]

    assert (definition.loinc, definition.unit, definition.display) == (loinc, unit, display)
    assert unit in definition.units


def test_consciousness_stands_in_order_of_depth():
    assert "".join(level.name for level in sorted(Consciousness)) == "ACVPU"
    assert [level.value for level in Consciousness] == [0, 1, 2, 3, 4]
