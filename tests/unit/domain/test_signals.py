"""Signals that are off, absent, or not breathing; nothing here is about a limit."""

import pytest

from domain.alarms import Kind, Priority
from domain.alerts import Reason
from domain.observations import Validity
from domain.vital_signs import VitalSign
from tests.builders import Bedside, a_reading, a_set, a_spot_check, seconds_of

HIGH, LOW = Priority.HIGH, Priority.LOW
WELL = {"heart_rate": 80, "respiratory_rate": 16, "spo2": 97, "pulse": 80}
PROBE, LEADS, LINE = "sensor-off/probe/monitor", "sensor-off/leads/monitor", "sensor-off/line/monitor"
ALL_ABSENT, NO_BREATHING = "all-signals-absent/monitor", "no-breathing/monitor"


def a_well_patient(seconds=3, **more):
    return Bedside().take_all(a_set(second, **(WELL | more)) for second in range(seconds))


def goes_on(bedside, begin, end, every=1, **values):
    seconds = range(begin, end + 1, every)
    return bedside.take_all(a_set(second, **(WELL | values)) for second in seconds)


def test_a_probe_that_falls_off_is_one_low_technical_alarm_after_its_time():
    bedside = goes_on(a_well_patient(), 3, 40, spo2=0, pulse=0)

    (alert,) = bedside.alerts
    assert (seconds_of(alert.determined_at), alert.rule_id) == (23, PROBE)
    assert (alert.kind, alert.priority, alert.reason) == (Kind.TECHNICAL, LOW, Reason.SENSOR_OFF)
    assert alert.vital_sign is None
    assert bedside.alarm(PROBE).device_id == "monitor"


def test_a_probe_that_is_off_for_less_is_no_alarm():
    bedside = goes_on(a_well_patient(), 3, 22, spo2=0, pulse=0)

    goes_on(bedside, 23, 60)

    assert bedside.alerts == []


@pytest.mark.parametrize(("last", "ended"), [(129, False), (130, True)])
def test_a_sensor_is_back_only_after_it_has_stayed(last, ended):
    bedside = goes_on(a_well_patient(), 3, 69, spo2=0, pulse=0)

    goes_on(bedside, 70, last)

    assert (bedside.open == {}) is ended
    assert bedside.alerts[-1].reason is (Reason.SIGNAL_BACK if ended else Reason.SENSOR_OFF)


def test_a_sensor_that_flickers_is_not_back():
    bedside = goes_on(a_well_patient(), 3, 69, spo2=0, pulse=0)

    for begin in range(70, 280, 30):
        goes_on(bedside, begin, begin + 28)
        goes_on(bedside, begin + 29, begin + 29, spo2=0, pulse=0)

    assert bedside.said_of(PROBE) == [(23, "start")]


def test_half_a_sensor_that_is_off_is_the_sensor_off():
    bedside = goes_on(a_well_patient(), 3, 30, spo2=0)

    assert list(bedside.open) == [PROBE]


def test_a_sensor_whose_other_half_is_live_but_not_for_long_is_not_back():
    bedside = goes_on(a_well_patient(), 3, 40, spo2=0, pulse=0)

    goes_on(bedside, 41, 90, spo2=0)
    goes_on(bedside, 91, 120)  # the pulse has been back for 79 s, the saturation for 29 s

    assert list(bedside.open) == [PROBE]


def test_a_signal_that_was_never_valid_is_not_lost():
    bedside = Bedside().take_all(
        a_set(second, heart_rate=80, respiratory_rate=16, spo2=0, pulse=0) for second in range(120)
    )

    assert bedside.alerts == []


def test_an_arterial_line_is_a_sensor_and_a_cuff_is_not():
    def pressures(second, value):
        key = (second,)
        line = a_reading(VitalSign.SYSTOLIC_PRESSURE, value, site="arterial", key=key)
        cuff = a_reading(VitalSign.DIASTOLIC_PRESSURE, value, site="cuff", key=key)
        rate = a_reading(VitalSign.HEART_RATE, 80, key=key)
        return a_set(second, [line, cuff, rate])

    bedside = Bedside().take_all(pressures(second, 70 if second < 3 else 0) for second in range(60))

    technical = {rule for rule, alarm in bedside.chart.alarms.items() if alarm.kind is Kind.TECHNICAL}
    assert technical == {LINE}


def test_a_spot_check_without_a_value_is_a_sensor_off_at_once():
    bedside = Bedside()
    bedside.take(a_spot_check(0, spo2=97, device="oximeter"))

    bedside.take(a_spot_check(600, spo2=0, device="oximeter"))

    assert list(bedside.open) == ["sensor-off/probe/oximeter"]


def test_every_signal_absent_is_high_at_once_and_needs_no_delay():
    bedside = a_well_patient()

    evaluation = bedside.take(a_set(3, heart_rate=0, respiratory_rate=0, spo2=0, pulse=0))

    (alert,) = evaluation.alerts
    assert (alert.rule_id, alert.priority, alert.kind) == (ALL_ABSENT, HIGH, Kind.TECHNICAL)
    assert alert.title.endswith("no signal on any channel, check the patient now")


def test_one_sensor_alone_can_be_off_but_not_all_of_a_patients_signals():
    bedside = Bedside().take_all(a_set(second, spo2=97, pulse=80) for second in range(3))

    bedside.take_all(a_set(second, spo2=0, pulse=0) for second in range(3, 40))

    assert list(bedside.open) == [PROBE]


def test_while_every_signal_is_absent_no_sensor_is_named_off():
    bedside = goes_on(a_well_patient(), 3, 90, heart_rate=0, respiratory_rate=0, spo2=0, pulse=0)

    assert bedside.said == [(3, "start", ALL_ABSENT)]


@pytest.mark.parametrize(("last", "ended"), [(39, False), (40, True)])
def test_all_absent_ends_when_one_signal_has_been_back_for_its_time(last, ended):
    gone = {"heart_rate": 0, "respiratory_rate": 0, "spo2": 0, "pulse": 0}
    bedside = goes_on(a_well_patient(), 3, 9, **gone)

    goes_on(bedside, 10, last, **(gone | {"heart_rate": 80}))

    assert (ALL_ABSENT not in bedside.open) is ended


def test_a_channel_that_is_no_longer_reported_is_no_sign_of_life():
    bedside = a_well_patient()

    bedside.take_all(a_set(second, spo2=0, pulse=0) for second in range(3, 122))
    before = dict(bedside.open)
    bedside.take_all(a_set(second, spo2=0, pulse=0) for second in range(122, 124))

    assert list(before) == [PROBE]
    assert ALL_ABSENT in bedside.open
    assert bedside.said_of(ALL_ABSENT) == [(123, "start")]  # heard last at 2, live for two minutes


@pytest.mark.parametrize("every", [1, 20])
def test_no_breath_beside_a_live_heart_is_high_after_twenty_seconds(every):
    bedside = a_well_patient()

    goes_on(bedside, 3, 63, every=every, respiratory_rate=0)

    assert bedside.said == [(23, "start", NO_BREATHING)]
    assert bedside.alerts[0].priority is HIGH
    assert bedside.alerts[0].title.endswith("no breathing detected, check the patient")


def test_at_one_sample_a_minute_two_without_a_breath_are_enough():
    bedside = Bedside().take_all(a_set(minute * 60, **WELL) for minute in range(2))

    bedside.take_all(a_set(minute * 60, **(WELL | {"respiratory_rate": 0})) for minute in (2, 3))

    assert bedside.said == [(180, "start", NO_BREATHING)]


def test_the_heart_must_have_been_seen_for_as_long_as_the_breath_was_not():
    bedside = a_well_patient()
    goes_on(bedside, 3, 10, respiratory_rate=0, heart_rate=0)

    goes_on(bedside, 11, 30, respiratory_rate=0)
    assert NO_BREATHING not in bedside.open
    goes_on(bedside, 31, 31, respiratory_rate=0)

    assert NO_BREATHING in bedside.open


def test_no_breathing_ends_when_a_breath_is_seen():
    bedside = goes_on(a_well_patient(), 3, 30, respiratory_rate=0)

    goes_on(bedside, 31, 31, respiratory_rate=12)

    assert NO_BREATHING not in bedside.open
    assert [alert.reason for alert in bedside.alerts] == [Reason.NO_BREATHING, Reason.SIGNAL_BACK]


def test_no_breathing_becomes_a_lead_off_when_the_heart_rate_goes_and_a_pulse_is_live():
    bedside = goes_on(a_well_patient(), 3, 30, respiratory_rate=0)

    goes_on(bedside, 31, 60, respiratory_rate=0, heart_rate=0)

    assert [(alert.rule_id, alert.phase.value, alert.reason) for alert in bedside.alerts] == [
        (NO_BREATHING, "start", Reason.NO_BREATHING),
        (NO_BREATHING, "end", Reason.SENSOR_OFF),
        (LEADS, "start", Reason.SENSOR_OFF),
    ]


def test_no_value_of_the_breath_is_not_a_breath_rate_of_zero():
    bedside = goes_on(a_well_patient(), 3, 60, respiratory_rate=8388607)

    assert list(bedside.open) == [LEADS]


def test_a_breath_of_zero_needs_a_heart_rate_of_the_same_device():
    bedside = Bedside()
    for second in range(60):
        breath = 16 if second < 3 else 0
        bedside.take(a_set(second, respiratory_rate=breath, spo2=97, device="monitor"))
        bedside.take(a_set(second, heart_rate=80, device="other"))

    assert list(bedside.open) == [LEADS]


def test_breath_and_heart_rate_zero_with_a_live_pulse_are_a_lead_off():
    bedside = goes_on(a_well_patient(), 3, 60, heart_rate=0, respiratory_rate=0)

    assert bedside.said == [(23, "start", LEADS)]


def test_a_heart_rate_of_zero_with_a_live_pulse_is_a_lead_off():
    bedside = goes_on(a_well_patient(), 3, 60, heart_rate=0, spo2=97, pulse=80)

    assert bedside.said == [(23, "start", LEADS)]
    assert [alert for alert in bedside.alerts if alert.vital_sign] == []


def test_the_sentinel_is_technical_and_never_physiological():
    bedside = goes_on(a_well_patient(), 3, 60, spo2=8388607, pulse=8388607)

    assert bedside.said == [(23, "start", PROBE)]


@pytest.mark.parametrize("validity", [Validity.INVALID, Validity.CALIBRATING, Validity.ABSENT])
def test_values_that_are_not_usable_feed_the_technical_alarm(validity):
    bedside = a_well_patient()

    for second in range(3, 40):
        off = a_reading(VitalSign.SPO2, 60, validity=validity, key=second)
        pulse = a_reading(VitalSign.PULSE, 80, key=second)
        rate = a_reading(VitalSign.HEART_RATE, 80, key=second)
        bedside.take(a_set(second, [off, pulse, rate]))

    assert bedside.starts() == [PROBE]


def test_a_spot_check_of_no_breath_beside_a_heart_rate_is_high_at_once():
    bedside = Bedside()
    bedside.take(a_spot_check(0, heart_rate=80, respiratory_rate=16))

    bedside.take(a_spot_check(600, heart_rate=80, respiratory_rate=0))

    assert list(bedside.open) == ["no-breathing/trolley"]


def test_a_reading_older_than_its_channels_latest_changes_nothing_about_the_signal():
    bedside = a_well_patient(30)

    bedside.take(a_set(10.5, received=30, heart_rate=0, respiratory_rate=0, spo2=0, pulse=0))

    assert bedside.alerts == []


def test_each_device_has_its_own_signals():
    bedside = Bedside()
    for second in range(40):
        bedside.take(a_set(second, **WELL))
        bedside.take(a_set(second, spo2=97 if second < 3 else 0, device="oximeter"))

    assert list(bedside.open) == ["sensor-off/probe/oximeter"]


def test_of_very_many_devices_the_one_heard_of_longest_ago_is_forgotten():
    bedside = Bedside().take_all(a_spot_check(n, spo2=97, device=f"d{n:02}") for n in range(32))
    assert len(bedside.chart.devices) == 32

    bedside.take(a_spot_check(40, spo2=97, device="another"))

    assert len(bedside.chart.devices) == 32
    assert "d00" not in bedside.chart.devices
    assert {"d01", "another"} <= set(bedside.chart.devices)


def test_all_absent_ends_with_the_first_signal_that_stayed_though_others_are_only_just_back():
    gone = {"heart_rate": 0, "respiratory_rate": 0, "spo2": 0, "pulse": 0}
    bedside = goes_on(a_well_patient(), 3, 9, **gone)
    goes_on(bedside, 10, 39, **(gone | {"heart_rate": 80}))

    goes_on(bedside, 40, 40)

    assert ALL_ABSENT not in bedside.open
