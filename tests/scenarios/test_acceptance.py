"""Acceptance cases from the clinical text: short stories with one expected end."""

import pytest

from domain.alarms import Kind, Priority
from domain.vital_signs import VitalSign, is_absent, is_possible
from tests.builders import Bedside, a_set

HIGH, LOW = Priority.HIGH, Priority.LOW


def test_a_sentinel_from_the_oximeter_is_technical_and_never_physiological():
    bedside = Bedside().streams([97] * 3 + [8388607] * 60, sign="spo2")

    assert is_absent(VitalSign.SPO2, 8388607)
    assert {alert.kind for alert in bedside.alerts} == {Kind.TECHNICAL}


def test_a_saturation_of_90_for_12_seconds_is_no_alarm():
    bedside = Bedside().streams([97] + [90] * 13 + [95] * 60, sign="spo2")

    assert bedside.alerts == []


def test_a_saturation_of_90_for_16_seconds_is_one_alarm():
    bedside = Bedside().streams([97] + [90] * 17 + [95] * 60, sign="spo2")

    assert [phase for _, phase in bedside.said_of("spo2-low")] == ["start", "end"]


def test_a_saturation_of_78_for_one_second_is_high_at_once():
    bedside = Bedside().streams([97, 78, 97], sign="spo2")

    assert bedside.said == [(1, "start", "spo2-low")]
    assert bedside.alerts[0].priority is HIGH


@pytest.mark.parametrize("pattern", [(91, 92), (92, 91), (91, 91, 92)])
def test_a_saturation_that_hovers_for_ten_minutes_is_at_most_one_page(pattern):
    begin = [91] * 16
    values = begin + [pattern[second % len(pattern)] for second in range(600)]

    bedside = Bedside().streams(values, sign="spo2")

    assert bedside.said_of("spo2-low") == [(15, "start")]


def test_a_heart_rate_of_zero_beside_a_live_pulse_is_a_lead_off():
    live = {"spo2": 97, "pulse": 80}
    bedside = Bedside().take_all(
        a_set(second, heart_rate=80 if second < 3 else 0, **live) for second in range(60)
    )

    (alarm,) = bedside.chart.alarms.values()
    assert (alarm.rule_id, alarm.kind, alarm.priority) == ("sensor-off/leads/monitor", Kind.TECHNICAL, LOW)


def test_every_signal_gone_is_high_and_says_to_check_the_patient():
    bedside = Bedside()
    bedside.take(a_set(0, heart_rate=80, spo2=97, pulse=80, respiratory_rate=16))

    evaluation = bedside.take(a_set(1, heart_rate=0, spo2=0, pulse=0, respiratory_rate=0))

    assert [alert.priority for alert in evaluation.alerts] == [HIGH]
    assert "check the patient now" in evaluation.alerts[0].title


def test_no_breath_for_20_seconds_beside_a_heart_rate_of_88_is_high():
    def breathing(second):
        return a_set(second, respiratory_rate=14 if second < 5 else 0, heart_rate=88, spo2=95)

    bedside = Bedside().take_all(breathing(second) for second in range(26))

    assert bedside.said == [(25, "start", "no-breathing/monitor")]
    assert bedside.alerts[0].priority is HIGH


@pytest.mark.parametrize("value", [98.6, -17.8])
def test_fahrenheit_declared_as_celsius_and_a_converted_zero_are_impossible(value):
    assert not is_possible(VitalSign.BODY_TEMPERATURE, value)


def test_a_probe_off_all_night_never_raises_a_limit_alarm():
    bedside = Bedside().take_all(
        a_set(60 * minute, heart_rate=80, spo2=97 if minute < 3 else 0, pulse=80 if minute < 3 else 0)
        for minute in range(363)
    )

    assert [phase for _, phase, _ in bedside.said] == ["start"]
    assert {alert.kind for alert in bedside.alerts} == {Kind.TECHNICAL}
