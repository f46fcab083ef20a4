"""The one line that a nurse reads."""

from itertools import product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.alarms import Alarm, AlarmState, Kind, Priority
from domain.alerts import Breach, Flag, Phase, Reason
from domain.protocol import Measure
from domain.vital_signs import VitalSign
from domain.wording import LONGEST_TITLE, Occasion, quantity, title_of
from tests.builders import shipped

SPO2 = VitalSign.SPO2


def an_occasion(
    phase=Phase.START, reason=Reason.LIMIT_VIOLATED, *, rule="spo2-low", sign=SPO2, value=84.0, flags=(),
    side="low", threshold=92.0, priority=Priority.MEDIUM, late_s=0, patient="P-004217", bed="12", ward="7b", breach=True,
):  # fmt: skip
    alarm = Alarm(
        alarm_id=UUID(int=1),
        episode_id=UUID(int=2),
        rule_id=rule,
        kind=Kind.PHYSIOLOGICAL if sign else Kind.TECHNICAL,
        vital_sign=sign,
        state=AlarmState.ACTIVE,
        priority=priority,
        onset_ms=0,
        started_ms=0,
        evidence=(),
        value=value,
    )
    measure = Measure.FALL if rule == "gcs-fall" else Measure.VALUE
    limit = Breach(
        side=side, measure=measure, threshold=threshold, is_inclusive=False, layer="product", source=""
    )
    return Occasion(
        alarm=alarm,
        phase=phase,
        reason=reason,
        breach=limit if breach and sign else None,
        flags=flags,
        ward=ward,
        bed=bed,
        patient_id=patient,
        observed_ms=0,
        received_ms=late_s * 1000,
        sensor=shipped().signals.display_of(rule) if rule.startswith("sensor-off/") else "",
    )


VIOLATIONS = [
    ({}, "SpO2 84 %, limit below 92 %"),
    ({"sign": VitalSign.BODY_TEMPERATURE, "value": 39.4, "side": "high", "threshold": 39.0}, "temperature 39.4 °C, limit above 39 °C"),
    ({"sign": VitalSign.SYSTOLIC_PRESSURE, "value": 79.0, "threshold": 80.0}, "systolic pressure 79 mmHg, limit below 80 mmHg"),
    ({"sign": VitalSign.RESPIRATORY_RATE, "value": 8.0, "threshold": 9.0}, "respiratory rate 8 /min, limit below 9 /min"),
    ({"sign": VitalSign.CONSCIOUSNESS, "value": 1.0, "side": "high", "threshold": 1.0}, "consciousness new confusion"),
    ({"sign": VitalSign.CONSCIOUSNESS, "value": 2.0}, "consciousness responds to voice only"),
    ({"sign": VitalSign.CONSCIOUSNESS, "value": 3.0}, "consciousness responds to pain only"),
    ({"sign": VitalSign.CONSCIOUSNESS, "value": 4.0}, "consciousness unresponsive"),
    ({"sign": VitalSign.GCS, "value": 8.0, "threshold": 8.0}, "Glasgow coma scale 8, limit below 8"),
    ({"sign": VitalSign.GCS, "value": 13.0, "threshold": 2.0, "side": "high", "rule": "gcs-fall"}, "Glasgow coma scale 13, limit a fall of 2"),
    ({"sign": VitalSign.OXYGEN_THERAPY, "value": 15.0, "side": "high", "threshold": 10.0}, "oxygen flow 15 L/min, limit above 10 L/min"),
    ({"reason": Reason.SIGNAL_LOST, "flags": (Flag.SIGNAL_LOST,)}, "SpO2 84 %, limit below 92 %, then the signal was lost"),
    ({"phase": Phase.ESCALATE, "reason": Reason.PRIORITY_ROSE}, "SpO2 84 %, limit below 92 %"),
    ({"phase": Phase.DEESCALATE, "reason": Reason.PRIORITY_FELL}, "SpO2 84 %, now medium priority"),
    ({"phase": Phase.UPDATE, "reason": Reason.LIMIT_VIOLATED}, "SpO2 84 %, limit below 92 %"),
    ({"value": None}, "SpO2, limit below 92 %"),
    ({"breach": False}, "SpO2 84 %"),
    ({"phase": Phase.TPOINT, "reason": Reason.LATE_FINDING, "flags": (Flag.LATE,), "late_s": 3599}, "SpO2 84 %, limit below 92 %, observed 59 min ago, newer values are known"),
]  # fmt: skip
ENDINGS = [
    ({"reason": Reason.CLEARED}, "SpO2 back inside its limit"),
    ({"reason": Reason.OVERTAKEN}, "SpO2 withdrawn, a late reading corrected the picture"),
    ({"reason": Reason.CLOSED}, "SpO2 closed by staff"),
    ({"reason": Reason.DISCHARGED}, "SpO2 ended, patient discharged"),
    ({"reason": Reason.PROTOCOL_CHANGED}, "SpO2 ended, the rule is no longer in force"),
    ({"reason": Reason.NOT_IN_FORCE}, "SpO2 ended, the limit no longer stands for this patient"),
    ({"phase": Phase.RESET, "reason": Reason.CLOSED}, "SpO2 closed by staff"),
    ({"phase": Phase.RESET, "reason": Reason.ACKNOWLEDGED}, "SpO2 ended"),
]  # fmt: skip
UPDATES = [
    ({"reason": Reason.MOVED}, "SpO2 alarm moved with the patient"),
    ({"reason": Reason.ACKNOWLEDGED}, "SpO2 alarm seen by staff"),
    ({"reason": Reason.CLEARED}, "SpO2 alarm over, waiting to be let go"),
]
# rule, reason of the start, what is said; what is said of its end with "signal is back"
TECHNICAL = [
    ("sensor-off/probe/m", Reason.SENSOR_OFF, "finger probe off, check the sensor", "finger probe off:"),
    ("sensor-off/leads/m", Reason.SENSOR_OFF, "ECG leads off, check the sensor", "ECG leads off:"),
    ("sensor-off/line/m", Reason.SENSOR_OFF, "arterial line off, check the sensor", "arterial line off:"),
    ("sensor-off/cap/m", Reason.SENSOR_OFF, "cap off, check the sensor", "cap off:"),
    ("all-signals-absent/m", Reason.ALL_SIGNALS_ABSENT, "no signal on any channel, check the patient now", "signals of all channels:"),
    ("no-breathing/m", Reason.NO_BREATHING, "no breathing detected, check the patient", "breathing:"),
    ("signal-overdue/m", Reason.SIGNAL_OVERDUE, "no data from the monitor, check its connection", "data of the monitor:"),
    ("clock-ahead/m", Reason.CLOCK_AHEAD, "the device's clock is ahead, readings are judged at the time they came", "clock alarm:"),
    ("clock-skew/m", Reason.CLOCK_SKEW, "the device's clock is wrong by a constant amount, corrected for", "clock alarm:"),
    ("too-frequent/m", Reason.TOO_FREQUENT, "a spot-check device sends like a monitor, check its setting", "spot-check device:"),
    ("something-new/m", Reason.LIMIT_VIOLATED, "something new", "something new"),
]  # fmt: skip


@pytest.mark.parametrize(("told", "line"), VIOLATIONS)
def test_a_violation_is_said_with_value_and_limit(told, line):
    assert title_of(an_occasion(**told)) == f"Bed 12 (…4217): {line}"


@pytest.mark.parametrize(("told", "line"), ENDINGS)
def test_an_end_says_why(told, line):
    assert title_of(an_occasion(**({"phase": Phase.END} | told))) == f"Bed 12 (…4217): {line}"


@pytest.mark.parametrize(("told", "line"), UPDATES)
def test_an_update_says_what_is_new(told, line):
    assert title_of(an_occasion(Phase.UPDATE, **told)) == f"Bed 12 (…4217): {line}"


@pytest.mark.parametrize(("rule", "reason", "line", "subject"), TECHNICAL)
def test_a_technical_alarm_says_what_to_do(rule, reason, line, subject):
    started = an_occasion(reason=reason, rule=rule, sign=None)
    ended = an_occasion(Phase.END, Reason.SIGNAL_BACK, rule=rule, sign=None)

    assert title_of(started) == f"Bed 12 (…4217): {line}"
    assert title_of(ended) == f"Bed 12 (…4217): {subject} signal is back"


@pytest.mark.parametrize(
    ("rule", "reason", "line"),
    [
        ("clock-ahead/m", Reason.CLOCK_RIGHT, "clock alarm: the device's clock is right again"),
        ("too-frequent/m", Reason.RHYTHM_RIGHT, "spot-check device: sends at its rhythm again"),
        ("no-breathing/m", Reason.SENSOR_OFF, "breathing: ended, the sensor is off"),
    ],
)
def test_other_technical_ends_say_why(rule, reason, line):
    assert title_of(an_occasion(Phase.END, reason, rule=rule, sign=None)) == f"Bed 12 (…4217): {line}"


@pytest.mark.parametrize(
    ("flags", "late_s", "words"),
    [
        ((Flag.LATE,), 61, ", observed 1 min ago"),
        ((Flag.LATE,), 1500, ", observed 25 min ago"),
        ((Flag.SUSPECT,), 0, ", value suspect"),
        ((Flag.QUESTIONABLE,), 0, ", quality questionable"),
        ((Flag.CONFLICT,), 0, ", devices disagree"),
        ((Flag.CLOCK_AHEAD,), 0, ""),
        ((Flag.CLOCK_CORRECTED,), 1500, ", time corrected for the device's clock"),
        (
            (Flag.LATE, Flag.SUSPECT, Flag.QUESTIONABLE),
            120,
            ", observed 2 min ago, value suspect, quality questionable",
        ),
    ],
)
def test_words_of_caution_follow_the_matter(flags, late_s, words):
    assert (
        title_of(an_occasion(flags=flags, late_s=late_s))
        == f"Bed 12 (…4217): SpO2 84 %, limit below 92 %{words}"
    )


def test_a_technical_alarm_is_never_called_a_suspect_value():
    title = title_of(
        an_occasion(reason=Reason.NO_BREATHING, rule="no-breathing/m", sign=None, flags=(Flag.SUSPECT,))
    )

    assert title.endswith("check the patient")


@pytest.mark.parametrize(
    ("patient", "bed", "place"),
    [
        ("P-004217", "12", "Bed 12 (…4217): "),
        ("P-004217", None, "Patient …4217: "),
        ("42", None, "Patient …42: "),
        (None, None, "Ward 7b: "),
    ],
)
def test_a_line_begins_with_the_bed_and_the_last_four_characters(patient, bed, place):
    assert title_of(an_occasion(patient=patient, bed=bed)).startswith(place + "SpO2")


def test_an_alert_of_the_ward_names_its_ward():
    title = title_of(
        an_occasion(reason=Reason.WARD_SILENT, rule="ward-silent", sign=None, patient=None, bed=None)
    )

    assert title == "Ward 7b: several monitors fell silent at once, check the network"


@pytest.mark.parametrize(("phase", "reason"), list(product(Phase, Reason)))
def test_every_phase_and_reason_has_a_line(phase, reason):
    for sign, rule in ((SPO2, "spo2-low"), (None, "sensor-off/probe/m")):
        assert title_of(an_occasion(phase, reason, sign=sign, rule=rule)).startswith("Bed 12 (…4217): ")


@given(
    st.sampled_from(list(Phase)),
    st.sampled_from(list(Reason)),
    st.sampled_from([None, *(sign for sign in VitalSign if sign is not VitalSign.CONSCIOUSNESS)]),
    st.floats(0, 400),
    st.sets(st.sampled_from(list(Flag))).map(tuple),
    st.text(min_size=1, max_size=64),
    st.text(max_size=64),
)
def test_a_line_never_has_more_than_130_characters(  # noqa: PLR0917
    phase, reason, sign, value, flags, patient, bed
):
    rule = f"{sign}-low" if sign else "sensor-off/probe/m"

    title = title_of(
        an_occasion(phase, reason, rule=rule, sign=sign, value=value, flags=flags, patient=patient, bed=bed)
    )

    assert 0 < len(title) <= LONGEST_TITLE == 130


@given(st.from_regex(r"[A-Z]{3}[0-9]{8}", fullmatch=True), st.sampled_from([None, "12"]))
def test_no_more_than_the_last_four_characters_of_a_patient_are_said(patient, bed):
    title = title_of(an_occasion(patient=patient, bed=bed))

    assert patient[-4:] in title
    assert patient[-5:] not in title


@pytest.mark.parametrize(
    ("sign", "value", "said"),
    [
        ("body_temperature", 38.0, "38 °C"), ("gcs", 15, "15"), ("body_weight", 70.5, "70.5 kg"),
        ("consciousness", 0, "alert"), ("spo2", 84.0, "84 %"), ("body_height", 171, "171 cm"),
    ],
)  # fmt: skip
def test_a_value_is_said_as_a_person_writes_it(sign, value, said):
    assert quantity(VitalSign(sign), value) == said
