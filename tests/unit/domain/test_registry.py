"""The registry's range table, restated here by hand, and each of its holes."""

from datetime import date

import pytest

from domain.alarms import Priority
from domain.chart import Admission
from domain.limits_in_force import age_in_months
from domain.vital_signs import VitalSign
from tests.builders import BEGIN, Bedside, a_spot_check, at, shipped
from tests.unit.domain.caution_levels import caution_level

HIGH, MEDIUM, LOW = Priority.HIGH, Priority.MEDIUM, Priority.LOW
PRIORITY_OF_LEVEL = {0: None, 1: None, 2: LOW, 3: MEDIUM, 4: HIGH}
ADULT = 40 * 12


def level(sign, value, months=ADULT):
    return caution_level(shipped("registry"), VitalSign(sign), value, age_months=months)


def pair_level(systolic, diastolic):
    return max(level("systolic_pressure", systolic), level("diastolic_pressure", diastolic))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (37.4, 0), (34, 3), (41, 3), (39.7, 2), (38, 1),  # the registry's own checked values
        (35, 3), (35.1, 2), (35.9, 2), (36, 0), (37.5, 1), (39.4, 1), (39.5, 2), (40.9, 2), (41.1, 3),
    ],
)  # fmt: skip
def test_temperatures_have_the_registrys_level(value, expected):
    assert level("body_temperature", value) == expected


def test_the_checked_pressures_pulses_and_rates_have_the_registrys_level():
    assert pair_level(110, 75) == 0
    assert pair_level(130, 80) == 2
    assert level("pulse", 90, months=3) == 0
    assert level("pulse", 79, months=3) == 2
    assert level("respiratory_rate", 35, months=14) == 0
    assert level("respiratory_rate", 18, months=4 * 12) == 2


def row_of(systolic, diastolic):
    """The registry's pressure table, the most severe row first; None where no row fits."""
    if systolic >= 180 or diastolic >= 120:
        return 4
    if systolic >= 140 or diastolic >= 90:
        return 3
    if 130 <= systolic <= 139 and 80 <= diastolic <= 89:
        return 2
    if 120 <= systolic <= 129 and diastolic <= 80:
        return 1
    return 0 if systolic < 120 and diastolic < 80 else None


def single_systolic(value):
    added = 4 if value < 80 else 3 if value <= 90 else 0
    return max(added, sum(value >= edge for edge in (120, 130, 140, 180)))


def single_diastolic(value):
    return 1 if value == 80 else (value > 80) * 2 + (value >= 90) + (value >= 120)


def test_every_pair_of_pressures_has_the_level_of_its_row_or_the_higher_single_one():
    holes, wrong = 0, []
    for systolic in range(60, 200):
        for diastolic in range(30, 130):
            row = row_of(systolic, diastolic)
            holes += row is None
            higher = max(single_systolic(systolic), single_diastolic(diastolic))
            expected = higher if row is None or systolic <= 90 else row
            if pair_level(systolic, diastolic) != expected:
                wrong.append((systolic, diastolic))

    assert wrong == []
    assert holes == 1190


def test_the_lowest_and_the_highest_pressures_are_covered_too():
    assert [pair_level(21, 11), pair_level(299, 60), pair_level(100, 199)] == [4, 4, 4]


@pytest.mark.parametrize(
    ("pair", "expected"), [((125, 85), 2), ((135, 75), 2), ((110, 85), 2), ((110, 80), 1)]
)
def test_where_no_row_fits_the_higher_of_the_two_single_judgements_counts(pair, expected):
    assert row_of(*pair) is None
    assert pair_level(*pair) == expected


@pytest.mark.parametrize(("systolic", "expected"), [(91, 0), (90, 3), (80, 3), (79, 4), (60, 4)])
def test_a_low_pressure_is_no_longer_normal(systolic, expected):
    assert row_of(systolic, 30) == 0
    assert pair_level(systolic, 30) == expected


# from month, below month, lowest normal, highest normal
PULSE = [
    (0, 2, 120, 160), (2, 24, 80, 140), (24, 36, 80, 130), (36, 84, 75, 120), (84, 156, 75, 110),
    (156, 1200, 60, 110),
]  # fmt: skip
BREATHS = [
    (0, 24, 30, 40), (24, 72, 20, 40), (72, 132, 15, 25), (132, 216, 15, 20), (216, 840, 12, 20),
    (840, 1400, 15, 20),
]  # fmt: skip


@pytest.mark.parametrize("sign", ["pulse", "heart_rate"])
@pytest.mark.parametrize(("begin", "end", "low", "high"), PULSE)
def test_a_pulse_has_its_range_at_each_age(sign, begin, end, low, high):
    for months in (begin, end - 1):
        assert level(sign, low, months) == level(sign, high, months) == 0
        assert level(sign, low - 1, months) == level(sign, high + 1, months) == 2


@pytest.mark.parametrize(("begin", "end", "low", "high"), BREATHS)
def test_a_respiratory_rate_has_its_range_at_each_age(begin, end, low, high):
    for months in (begin, end - 1):
        assert level("respiratory_rate", low, months) == level("respiratory_rate", high, months) == 0
        assert level("respiratory_rate", low - 1, months) == level("respiratory_rate", high + 1, months) == 2


@pytest.mark.parametrize("months", range(13, 24))
def test_the_range_of_the_first_year_reaches_to_the_second_birthday(months):
    assert [level("pulse", value, months) for value in (79, 80, 140, 141)] == [2, 0, 0, 2]


@pytest.mark.parametrize(
    ("born", "seen", "months"),
    [
        ((2025, 12, 31), (2026, 1, 1), 0),
        ((2025, 12, 31), (2026, 12, 30), 11),
        ((2025, 12, 31), (2026, 12, 31), 12),
        ((2024, 2, 29), (2026, 2, 28), 23),
        ((2024, 2, 29), (2026, 3, 1), 24),
        ((2026, 5, 31), (2026, 6, 30), 0),
        ((1950, 6, 1), (2026, 6, 1), 76 * 12),
        ((2026, 6, 2), (2026, 6, 1), 0),
    ],
)
def test_age_is_exact_at_the_observation(born, seen, months):
    admission = Admission(ward="7b", birth_date=date(*born))

    assert age_in_months(admission, BEGIN.replace(year=seen[0], month=seen[1], day=seen[2])) == months


def test_an_unknown_age_is_adult():
    assert age_in_months(None, BEGIN) == age_in_months(Admission(ward="7b"), BEGIN) == 30 * 12
    assert level("pulse", 59) == caution_level(shipped("registry"), VitalSign.PULSE, 59) == 2


def test_a_child_born_on_new_years_eve_is_judged_as_the_newborn_it_is():
    newborn = date(2026, 5, 31)
    bedside = Bedside(shipped("registry")).admitted(birth_date=newborn)

    bedside.take(a_spot_check(1, pulse=110))

    assert bedside.starts() == ["pulse-low-0-1mo"]


def test_a_birthday_ends_the_alarm_of_the_younger_age():
    second_birthday = at(0).date().replace(year=2024, day=2)
    bedside = Bedside(shipped("registry")).admitted(birth_date=second_birthday)
    bedside.take(a_spot_check(0, pulse=145))

    bedside.take(a_spot_check(24 * 3600, pulse=125))

    assert bedside.starts() == ["pulse-high-2-23mo"]
    assert bedside.alerts[-1].reason == "not_in_force"
    assert bedside.open == {}


@pytest.mark.parametrize("sign", ["body_temperature", "systolic_pressure", "diastolic_pressure", "pulse"])
def test_a_level_pages_with_its_priority(sign):
    for tenth in range(200, 2500, 5):
        value = tenth / 10
        bedside = Bedside(shipped("registry"))
        if sign == "pulse" and not 36 <= value <= 160:
            continue  # beyond, the HIGH values stand

        bedside.take(a_spot_check(0, **{sign: value}))

        expected = PRIORITY_OF_LEVEL[level(sign, value)]
        assert [alarm.priority for alarm in bedside.chart.alarms.values()] == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("sign", "value"),
    [
        ("heart_rate", 34), ("heart_rate", 161), ("pulse", 34), ("pulse", 161), ("respiratory_rate", 5),
        ("respiratory_rate", 37), ("spo2", 84), ("spo2", 79), ("systolic_pressure", 79), ("consciousness", 3),
        ("consciousness", 4), ("gcs", 8),
    ],
)  # fmt: skip
def test_the_high_values_run_under_the_registry_too(sign, value):
    bedside = Bedside(shipped("registry"))

    bedside.take(a_spot_check(0, **{sign: value}))

    assert [alarm.priority for alarm in bedside.chart.alarms.values()] == [HIGH]


@pytest.mark.parametrize(
    ("sign", "value"), [("spo2", 85), ("spo2", 91), ("consciousness", 2), ("gcs", 9), ("mean_pressure", 50)]
)
def test_what_the_registry_does_not_judge_stays_unsaid_below_high(sign, value):
    bedside = Bedside(shipped("registry"))

    bedside.take(a_spot_check(0, **{sign: value}))

    assert bedside.alerts == []


def test_a_fall_on_the_coma_scale_has_no_level_of_its_own():
    assert level("gcs", 10) == 0
    assert level("gcs", 8) == 4


def test_both_protocols_have_the_same_rules_for_signals_and_lateness():
    assert shipped("registry").signals == shipped("ward-adult").signals
    assert shipped("registry").lateness == shipped("ward-adult").lateness


@pytest.mark.parametrize("sign", ["mean_pressure", "body_weight", "oxygen_therapy"])
def test_a_sign_the_registry_does_not_know_has_level_zero(sign):
    assert level(sign, 50) == 0
