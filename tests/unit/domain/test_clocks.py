"""Devices whose clock is wrong: judged all the same, said once."""

import pytest

from domain.alerts import Flag, Reason
from tests.builders import Bedside, a_set, at

AHEAD, SKEW = "clock-ahead/monitor", "clock-skew/monitor"


def sends(bedside, begin, end, *, offset, every=1, **values):
    """Sets that arrive from *begin* to *end*, their clock *offset* seconds ahead of the log's."""
    values = values or {"spo2": 97}
    return bedside.take_all(
        a_set(second + offset, received=second, **values) for second in range(begin, end + 1, every)
    )


@pytest.mark.parametrize(("ahead", "said"), [(0, False), (60, False), (60.001, True), (3600, True)])
def test_a_clock_more_than_a_minute_ahead_is_one_technical_alarm(ahead, said):
    bedside = sends(Bedside(), 0, 5, offset=ahead)

    assert bedside.starts() == ([AHEAD] if said else [])
    assert [evaluation.flags for evaluation in bedside.evaluations] == [
        (Flag.CLOCK_AHEAD,) if said else ()
    ] * 6


def test_a_reading_from_a_clock_ahead_is_judged_at_the_time_it_came():
    bedside = Bedside()

    bedside.take(a_set(3600, received=0, systolic_pressure=70))
    bedside.take(a_set(1, systolic_pressure=120, device="other"))

    start = next(alert for alert in bedside.alerts if alert.vital_sign)
    assert start.observed_at == at(0)
    assert start.flags == (Flag.CLOCK_AHEAD,)
    assert list(bedside.open) == [AHEAD]  # the right clock's later value ended the alarm


def test_a_clock_that_is_right_again_ends_its_alarm():
    bedside = sends(Bedside(), 0, 5, offset=300)

    sends(bedside, 6, 6, offset=0)

    assert bedside.open == {}
    assert bedside.alerts[-1].reason is Reason.CLOCK_RIGHT


@pytest.mark.parametrize("offset", [-600, 600], ids=["behind", "ahead"])
def test_an_offset_that_stays_is_corrected_and_announced_once(offset):
    bedside = sends(Bedside(), 0, 200, offset=offset)

    assert bedside.said_of(SKEW) == [(60, "start")]  # 61 messages, but only now a minute
    assert list(bedside.open) == [SKEW]
    assert bedside.evaluations[59].flags == ((Flag.LATE,) if offset < 0 else (Flag.CLOCK_AHEAD,))
    assert bedside.evaluations[60].flags == (Flag.CLOCK_CORRECTED,)
    assert bedside.chart.tracks["spo2"].window[-1].at_ms == int(at(200).timestamp() * 1000)


@pytest.mark.parametrize(("messages", "said"), [(19, False), (20, True)])
def test_skew_needs_twenty_messages(messages, said):
    bedside = sends(Bedside(), 0, (messages - 1) * 10, offset=-600, every=10)

    assert (SKEW in bedside.open) is said


def test_a_buffer_dumped_at_once_is_not_a_wrong_clock():
    bedside = Bedside().take_all(a_set(second, received=600, spo2=97) for second in range(30))

    assert SKEW not in bedside.open


@pytest.mark.parametrize(("offset", "said"), [(-60, False), (-61, True), (60, False), (61, True)])
def test_an_offset_within_a_minute_is_nobodys_trouble(offset, said):
    bedside = sends(Bedside(), 0, 120, offset=offset)

    assert (SKEW in bedside.open) is said


@pytest.mark.parametrize(("spread", "said"), [(20, True), (21, False)])
def test_an_offset_that_wanders_beyond_the_tolerance_is_not_skew(spread, said):
    bedside = Bedside()
    for second in range(120):
        offset = -600 if second % 2 else -600 - spread
        bedside.take(a_set(second + offset, received=second, spo2=97))

    assert (SKEW in bedside.open) is said


def test_a_corrected_clock_judges_by_corrected_time():
    bedside = sends(Bedside(), 0, 100, offset=-600)

    bedside.take(a_set(-499, received=101, systolic_pressure=70))

    (alert,) = [alert for alert in bedside.alerts if alert.vital_sign]
    assert (alert.observed_at, alert.flags) == (at(101), (Flag.CLOCK_CORRECTED,))


def test_a_corrected_time_never_lies_ahead_of_the_log():
    bedside = sends(Bedside(), 0, 100, offset=-600)

    bedside.take(a_set(-494, received=101, systolic_pressure=70))

    assert bedside.alerts[-1].observed_at == at(101)


@pytest.mark.parametrize(("beside", "corrected"), [(20, True), (21, False)])
def test_only_what_lies_close_to_the_skew_is_corrected(beside, corrected):
    bedside = sends(Bedside(), 0, 100, offset=-600)

    evaluation = bedside.take(a_set(-499 - beside, received=101, spo2=97))

    assert (Flag.CLOCK_CORRECTED in evaluation.flags) is corrected
    assert SKEW in bedside.open


def test_a_clock_that_is_set_right_is_said_to_be_right():
    bedside = sends(Bedside(), 0, 100, offset=-600)

    sends(bedside, 101, 160, offset=0)
    assert SKEW in bedside.open  # not yet for long enough
    sends(bedside, 161, 161, offset=0)

    assert bedside.open == {}
    assert bedside.said_of(SKEW) == [(60, "start"), (161, "end")]


def test_the_middle_of_the_run_is_what_is_corrected_by():
    bedside = Bedside()
    for second in range(121):
        bedside.take(a_set(second - (600 if second % 2 else 610), received=second, spo2=97))

    assert bedside.chart.devices["monitor"].offsets.skew_ms == 605_000
