"""The shipped ward protocol, each number written here again by hand and tried at its edge."""

import pytest

from domain.alarms import AlarmState, Priority
from domain.vital_signs import Consciousness, VitalSign
from tests.builders import Bedside, a_set, a_spot_check, shipped

HIGH, MEDIUM, LOW = Priority.HIGH, Priority.MEDIUM, Priority.LOW

# sign, value of one spot check, priority that must follow (None: no alarm)
EDGES = [
    ("spo2", 100, None), ("spo2", 92, None), ("spo2", 91.5, None), ("spo2", 91.4, MEDIUM), ("spo2", 91, MEDIUM),
    ("spo2", 85, MEDIUM), ("spo2", 84, HIGH), ("spo2", 80, HIGH), ("spo2", 79, HIGH), ("spo2", 1, HIGH),
    ("respiratory_rate", 9, None), ("respiratory_rate", 8.5, None), ("respiratory_rate", 8, MEDIUM),
    ("respiratory_rate", 6, MEDIUM), ("respiratory_rate", 5, HIGH), ("respiratory_rate", 24, None),
    ("respiratory_rate", 24.4, None), ("respiratory_rate", 24.5, MEDIUM), ("respiratory_rate", 25, MEDIUM),
    ("respiratory_rate", 36, MEDIUM), ("respiratory_rate", 37, HIGH),
    ("heart_rate", 41, None), ("heart_rate", 40, MEDIUM), ("heart_rate", 35, MEDIUM), ("heart_rate", 34, HIGH),
    ("heart_rate", 130, None), ("heart_rate", 131, MEDIUM), ("heart_rate", 160, MEDIUM), ("heart_rate", 161, HIGH),
    ("pulse", 41, None), ("pulse", 40, MEDIUM), ("pulse", 35, MEDIUM), ("pulse", 34, HIGH),
    ("pulse", 130, None), ("pulse", 131, MEDIUM), ("pulse", 160, MEDIUM), ("pulse", 161, HIGH),
    ("systolic_pressure", 91, None), ("systolic_pressure", 90, MEDIUM), ("systolic_pressure", 80, MEDIUM),
    ("systolic_pressure", 79, HIGH), ("systolic_pressure", 219, None), ("systolic_pressure", 220, MEDIUM),
    ("systolic_pressure", 299, MEDIUM),
    ("mean_pressure", 65, None), ("mean_pressure", 64, MEDIUM), ("mean_pressure", 20, MEDIUM),
    ("mean_pressure", 200, None), ("diastolic_pressure", 20, None), ("diastolic_pressure", 190, None),
    ("body_temperature", 35.1, None), ("body_temperature", 35.04, MEDIUM), ("body_temperature", 35.0, MEDIUM),
    ("body_temperature", 39.0, None), ("body_temperature", 39.04, None), ("body_temperature", 39.0999985, MEDIUM),
    ("body_temperature", 39.1, MEDIUM), ("body_temperature", 41.0, MEDIUM),
    ("consciousness", Consciousness.A, None), ("consciousness", Consciousness.C, MEDIUM),
    ("consciousness", Consciousness.V, MEDIUM), ("consciousness", Consciousness.P, HIGH),
    ("consciousness", Consciousness.U, HIGH),
    ("gcs", 15, None), ("gcs", 9, None), ("gcs", 8, HIGH), ("gcs", 3, HIGH),
]  # fmt: skip


@pytest.mark.parametrize(("sign", "value", "priority"), EDGES)
def test_one_spot_check_raises_what_the_table_says(sign, value, priority):
    bedside = Bedside()

    bedside.take(a_spot_check(0, **{sign: value}))

    assert [alarm.priority for alarm in bedside.chart.alarms.values()] == ([priority] if priority else [])


# sign, streamed value, seconds a violation must hold before it pages, and as what
DELAYS = [
    ("spo2", 91, 15, MEDIUM), ("spo2", 84, 15, HIGH), ("spo2", 79, 0, HIGH), ("spo2", 80, 15, HIGH),
    ("respiratory_rate", 8, 15, MEDIUM), ("respiratory_rate", 25, 15, MEDIUM),
    ("respiratory_rate", 5, 0, HIGH), ("respiratory_rate", 37, 0, HIGH),
    ("heart_rate", 40, 15, MEDIUM), ("heart_rate", 131, 15, MEDIUM), ("heart_rate", 34, 0, HIGH),
    ("heart_rate", 161, 0, HIGH), ("pulse", 40, 15, MEDIUM), ("pulse", 131, 15, MEDIUM),
    ("pulse", 34, 0, HIGH), ("pulse", 161, 0, HIGH),
    ("systolic_pressure", 90, 0, MEDIUM), ("systolic_pressure", 220, 0, MEDIUM),
    ("systolic_pressure", 79, 0, HIGH), ("mean_pressure", 64, 0, MEDIUM),
    ("body_temperature", 35.0, 0, MEDIUM), ("body_temperature", 39.1, 0, MEDIUM),
    ("consciousness", 1, 0, MEDIUM), ("consciousness", 3, 0, HIGH), ("gcs", 8, 0, HIGH),
]  # fmt: skip


@pytest.mark.parametrize(("sign", "value", "delay", "priority"), DELAYS)
def test_a_streamed_violation_pages_after_its_delay_and_not_before(sign, value, delay, priority):
    bedside = Bedside().streams([value] * 20, sign=sign)

    assert bedside.said[0][0] == delay
    assert (bedside.alerts[0].priority, bedside.alerts[0].phase) == (priority, "start")
    assert len(bedside.alerts) == 1


# sign, violating value, value that does not clear, value that does, seconds it must stay
CLEARING = [
    ("spo2", 91, 92, 93, 30), ("respiratory_rate", 8, 9, 10, 30), ("respiratory_rate", 25, 24, 23, 30),
    ("heart_rate", 40, 45, 46, 30), ("heart_rate", 131, 126, 125, 30),
    ("pulse", 40, 45, 46, 30), ("pulse", 131, 126, 125, 30),
    ("systolic_pressure", 90, 95, 96, 0), ("systolic_pressure", 220, 215, 214, 0),
    ("mean_pressure", 64, 69, 70, 0), ("body_temperature", 35.0, 35.3, 35.4, 0),
    ("body_temperature", 39.1, 38.8, 38.7, 0), ("consciousness", 1, 1, 0, 0), ("gcs", 8, 8, 9, 0),
]  # fmt: skip


@pytest.mark.parametrize(("sign", "violating", "inside", "clearing", "seconds"), CLEARING)
def test_an_alarm_clears_at_its_deadband_and_after_its_time(sign, violating, inside, clearing, seconds):
    bedside = Bedside().streams([violating] * 17 + [inside] * 40, sign=sign)
    standing = len(bedside.open)

    bedside.streams([clearing] * 40, sign=sign, begin=100)

    assert standing == 1
    assert bedside.said[-1][:2] == (100 + seconds, "end")
    assert len(bedside.alerts) == 2


# with a prescribed target of 88-92 %: SpO2, on oxygen, priority
TARGET = [
    (88, False, None), (87, False, MEDIUM), (85, False, MEDIUM), (84, False, HIGH), (79, False, HIGH),
    (92, True, None), (93, True, LOW), (100, True, LOW), (93, False, None), (97, False, None),
]  # fmt: skip


@pytest.mark.parametrize(("value", "oxygen", "priority"), TARGET)
def test_a_prescribed_target_has_its_own_limits(value, oxygen, priority):
    bedside = Bedside().admitted(has_spo2_target_88_92=True)
    bedside.take(a_spot_check(1, oxygen_therapy=2 if oxygen else 0))

    bedside.take(a_spot_check(2, spo2=value))

    assert [alarm.priority for alarm in bedside.chart.alarms.values()] == ([priority] if priority else [])


def test_without_word_of_oxygen_a_target_has_no_upper_limit():
    bedside = Bedside().admitted(has_spo2_target_88_92=True)

    bedside.take(a_spot_check(1, spo2=97))
    bedside.take(a_spot_check(2, oxygen_therapy=None))
    bedside.take(a_spot_check(3, spo2=97))

    assert bedside.open == {}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        pytest.param("target", "spo2-low", id="a target is prescribed"),
        pytest.param("air", "spo2-high-target", id="oxygen is taken away"),
    ],
)
def test_an_alarm_ends_when_its_limit_no_longer_stands_for_the_patient(change, rule):
    bedside = Bedside()
    if change == "target":
        bedside.take(a_spot_check(1, spo2=90))
        bedside.admitted(2, has_spo2_target_88_92=True)
    else:
        bedside.admitted(0, has_spo2_target_88_92=True)
        bedside.take_all([a_spot_check(1, oxygen_therapy=2), a_spot_check(2, spo2=97)])
        bedside.take(a_spot_check(3, oxygen_therapy=0))
    assert rule in bedside.open

    evaluation = bedside.take(a_spot_check(4, spo2=90))

    assert bedside.open == {}
    assert evaluation.verdicts == ("ended",)
    assert (evaluation.alerts[-1].rule_id, evaluation.alerts[-1].reason) == (rule, "not_in_force")
    assert evaluation.ended[0].state is AlarmState.INACTIVE


@pytest.mark.parametrize(
    ("scores", "fell"),
    [
        ([(0, 15), (600, 14)], False),
        ([(0, 15), (600, 13)], True),
        ([(0, 15), (600, 14), (1200, 13)], True),
        ([(0, 13), (600, 15), (1200, 14)], False),
        ([(0, 15), (86_400, 13)], True),
        ([(0, 15), (86_401, 13)], False),
        ([(0, 15), (3600, 14), (86_401, 12)], True),
    ],
)
def test_a_fall_of_two_on_the_coma_scale_within_a_day_is_high(scores, fell):
    bedside = Bedside()

    bedside.take_all(a_spot_check(when, gcs=score) for when, score in scores)

    assert bedside.open == ({"gcs-fall": (AlarmState.ACTIVE, HIGH)} if fell else {})


def test_two_in_a_row_at_one_sample_a_minute_hold_a_delay():
    bedside = Bedside().streams([90, 90], sign="spo2", every=60)

    assert bedside.said == [(60, "start", "spo2-low")]


def test_a_lone_zero_never_raises_a_limit_alarm_under_any_protocol():
    for name in ("ward-adult", "registry"):
        bedside = Bedside(shipped(name))

        signs = [sign for sign in VitalSign if sign not in (VitalSign.CONSCIOUSNESS, VitalSign.GCS)]
        for second in range(3):
            bedside.take(a_set(second, **{sign.value: 0 for sign in signs}))

        assert [alert for alert in bedside.alerts if alert.vital_sign] == []
