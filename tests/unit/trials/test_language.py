"""The language of trials: what it says, and what it refuses with the line and what would be right."""

import pytest

from domain.alarms import Priority
from domain.alerts import Phase
from domain.observations import Validity
from domain.vital_signs import VitalSign
from worker.feed.records import Value
from worker.trials.language import Expected, Moment, TrialError, moments_of


def test_a_line_is_a_moment_with_what_is_observed_and_what_is_expected():
    (moment,) = moments_of("at 26s: spo2 90; rr 12; expect start spo2-low medium; expect start rr-low")

    assert moment == Moment(
        line=1,
        after_ms=26_000,
        values=(
            Value(vital_sign=VitalSign.SPO2, value=90.0, unit="%"),
            Value(vital_sign=VitalSign.RESPIRATORY_RATE, value=12.0, unit="/min"),
        ),
        expected=(
            Expected(Phase.START, "spo2-low", Priority.MEDIUM),
            Expected(Phase.START, "rr-low"),
        ),
    )


@pytest.mark.parametrize(
    ("moment", "after_ms"),
    [("0", 0), ("15", 15_000), ("250ms", 250), ("1.5s", 1_500), ("2 min", 120_000), ("1h", 3_600_000), ("1d", 86_400_000)],
)  # fmt: skip
def test_a_moment_is_a_duration_in_seconds_unless_said_otherwise(moment, after_ms):
    (read,) = moments_of(f"at {moment}: spo2 97")

    assert read.after_ms == after_ms


@pytest.mark.parametrize(
    ("told", "value"),
    [
        ("temp 101.3 [degF]", Value(vital_sign=VitalSign.BODY_TEMPERATURE, value=101.3, unit="[degF]")),
        ("acvpu V", Value(vital_sign=VitalSign.CONSCIOUSNESS, value="V")),
        ("oxygen air", Value(vital_sign=VitalSign.OXYGEN_THERAPY, value="air")),
        ("spo2 absent", Value(vital_sign=VitalSign.SPO2, value=0.0, unit="%", validity=Validity.ABSENT)),
        ("heart_rate 80", Value(vital_sign=VitalSign.HEART_RATE, value=80.0, unit="/min")),
    ],
)
def test_values_have_units_words_or_are_absent(told, value):
    (moment,) = moments_of(f"at 0: {told}")

    assert moment.values == (value,)


def test_remarks_and_empty_lines_are_skipped_and_nothing_may_be_expected():
    first, second = moments_of("# a remark\n\nat 0: spo2 97  # well\nat 60s: expect nothing\n")

    assert (first.line, second.line) == (3, 4)
    assert (second.values, second.expected) == ((), ())


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("spo2 97", "line 1: wanted is `at 30s: spo2 90"),
        ("at noon: spo2 97", "line 1: wanted is `at 30s"),
        ("at 0: spo3 97", "line 1: 'spo3' is no vital sign; known are temp"),
        ("at 0: spo2", "line 1: wanted is a sign with one value"),
        ("at 0: spo2 97 % now", "line 1: wanted is a sign with one value"),
        ("at 0: spo2 low", "line 1: 'low' is no value of spo2"),
        ("at 0: spo2 97\nat 0: spo2 98", "line 2: its moment must lie after"),
        ("at 0: expect begin spo2-low", "line 1: 'begin' is no phase; known are start"),
        (
            "at 0: expect start spo2-low urgent",
            "line 1: 'urgent' is no priority; known are low, medium, high",
        ),
        ("at 0: expect start", "line 1: wanted is `expect start"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(text, wrong):
    with pytest.raises(TrialError) as raised:
        list(moments_of(text))

    assert str(raised.value).startswith(wrong)
