"""Timers: monitors that say nothing any more, and spot checks that say too much."""

import pytest

from domain.alarms import Kind, Priority
from domain.alerts import Flag, Reason
from domain.commands import AcknowledgeAlarm, Admit
from domain.evaluation import evaluate
from domain.times import to_ms
from tests.builders import Bedside, a_limit, a_protocol, a_set, a_spot_check, a_tier, an_order, at

OVERDUE = "signal-overdue/monitor"


def a_monitor(every=1, count=5, **rest):
    return Bedside(**rest).streams([97] * count, sign="spo2", every=every)


def due(bedside):
    assert bedside.chart.due_ms is not None
    return (bedside.chart.due_ms - to_ms(at(0))) / 1000


@pytest.mark.parametrize(
    ("every", "silence"),
    [
        pytest.param(1, 60, id="a second: no less than a minute"),
        pytest.param(20, 60, id="three intervals are exactly a minute"),
        pytest.param(30, 90, id="three intervals"),
        pytest.param(60, 180, id="a minute"),
        pytest.param(200, 300, id="no more than five minutes"),
    ],
)
def test_a_monitor_is_overdue_after_three_of_its_own_intervals(every, silence):
    bedside = a_monitor(every)
    last = 4 * every

    bedside.tick(last + silence - 0.001)
    assert bedside.alerts == []
    bedside.tick(last + silence)

    (alert,) = bedside.alerts
    assert (alert.rule_id, alert.kind, alert.priority) == (OVERDUE, Kind.TECHNICAL, Priority.MEDIUM)
    assert (alert.reason, alert.determined_at) == (Reason.SIGNAL_OVERDUE, at(last + silence))
    assert bedside.chart.due_ms is None


def test_a_monitor_heard_once_has_five_minutes():
    assert due(a_monitor(count=1)) == 300


def test_one_long_gap_does_not_make_a_slow_monitor():
    bedside = a_monitor(every=10)

    bedside.take(a_set(90, spo2=97))  # 50 s after the last: taken as 20

    assert due(bedside) == 90 + 60
    bedside.take(a_set(190, spo2=97))
    assert bedside.chart.devices["monitor"].interval_ms == 40_000


def test_sets_of_the_same_moment_are_no_rhythm():
    bedside = Bedside().take_all([a_set(0, spo2=97), a_set(0.5, heart_rate=80), a_set(10, spo2=97)])

    assert bedside.chart.devices["monitor"].interval_ms == 9_500


@pytest.mark.parametrize("late", [0, 0.5, 100, 5000])
def test_a_timer_runs_out_at_its_due_time_whenever_it_is_noticed(late):
    on_time, noticed = a_monitor(), a_monitor()

    on_time.tick(64)
    noticed.tick(64 + late)

    assert noticed.alerts == on_time.alerts
    assert noticed.alerts[0].determined_at == at(64)


@pytest.mark.parametrize(
    "item",
    [
        pytest.param(an_order(Admit, 100, ward="7b"), id="a command"),
        pytest.param(a_set(100, device="pump", heart_rate=80), id="another monitor"),
        pytest.param(a_spot_check(100, spo2=97), id="a spot check"),
    ],
)
def test_only_a_tick_tells_of_a_silence(item):
    """After an outage of the broker the monitor's own sets may be the next that come."""
    bedside = a_monitor()

    bedside.take(item)
    assert bedside.alerts == []
    assert due(bedside) == 64
    bedside.tick(101)

    assert bedside.said == [(100, "start", OVERDUE)]
    assert bedside.alerts[0].observed_at == at(64)


@pytest.mark.parametrize("observed", [5, 63.9, 100])
def test_a_silence_that_is_over_before_a_tick_told_of_it_is_not_told(observed):
    bedside = a_monitor()

    bedside.take(a_set(observed, received=100, spo2=97))
    bedside.tick(101)

    assert bedside.alerts == []
    assert due(bedside) > 100


def test_replayed_data_which_nobody_ticks_tells_of_a_silence_itself():
    bedside = Bedside().take_all([a_set(second, spo2=97, replayed=True) for second in (0, 1, 100)])

    assert bedside.said == [(61, "start", OVERDUE), (100, "end", OVERDUE)]


def test_what_came_before_the_silence_and_is_read_after_it_does_not_end_it():
    bedside = a_monitor()
    bedside.tick(64)

    bedside.take(a_set(3.5, received=3.5, spo2=97))
    bedside.tick(64.5)

    assert bedside.said == [(64, "start", OVERDUE)]
    bedside.take(a_set(65, spo2=97))
    assert bedside.said[1:] == [(65, "end", OVERDUE)]


def test_what_comes_at_the_very_moment_it_is_due_is_in_time():
    bedside = a_monitor()

    bedside.take(a_set(64, spo2=97))

    assert bedside.alerts == []


def test_the_chart_wants_its_tick_no_later_than_something_can_happen():
    bedside = a_monitor()
    first = due(bedside)

    bedside.take(a_set(5, spo2=97))

    assert first == 60 + 1  # when its rhythm was first known
    assert due(bedside) == first  # an earlier moment is kept, to spare a write
    bedside.tick_when_due()
    assert bedside.alerts == []
    assert due(bedside) == 65


def test_a_tick_before_anything_is_due_changes_nothing_but_number_and_clock():
    bedside = a_monitor()

    evaluation = bedside.tick(10)

    assert (evaluation.alerts, evaluation.verdicts) == ((), ())
    assert bedside.chart.chart_seq == 6
    assert bedside.chart.clock_ms == to_ms(at(10))


def test_a_charts_clock_never_runs_backwards():
    bedside = a_monitor()

    bedside.tick(2)

    assert bedside.chart.clock_ms == to_ms(at(4))


def test_data_that_carries_its_own_time_wants_no_ticks_and_still_falls_silent():
    bedside = Bedside().take_all(a_set(second, spo2=97, replayed=True) for second in range(5))
    assert bedside.chart.due_ms is None

    bedside.take(a_set(500, spo2=97, replayed=True))

    assert bedside.said == [(64, "start", OVERDUE), (500, "end", OVERDUE)]


def test_spot_checks_are_never_overdue():
    bedside = Bedside().take_all(a_spot_check(3600 * hour, spo2=97) for hour in range(3))

    assert bedside.chart.due_ms is None
    bedside.tick(10 * 24 * 3600)
    assert bedside.alerts == []


def test_silence_is_said_once_and_ends_with_the_next_set():
    bedside = a_monitor()

    bedside.tick(100)
    bedside.tick(1000)
    bedside.take(a_set(1001, heart_rate=80))

    assert bedside.said == [(64, "start", OVERDUE), (1001, "end", OVERDUE)]
    assert bedside.alerts[-1].reason is Reason.SIGNAL_BACK
    assert bedside.chart.due_ms is not None


def test_two_monitors_fall_silent_each_at_its_own_time_and_in_that_order():
    bedside = Bedside()
    bedside.take_all(a_set(second, spo2=97, device="b") for second in (0, 1))
    bedside.take_all(a_set(second, heart_rate=80, device="a") for second in (0, 2))

    bedside.tick(1000)

    assert bedside.said == [(61, "start", "signal-overdue/b"), (62, "start", "signal-overdue/a")]


def test_what_was_pending_starts_when_its_monitor_falls_silent():
    bedside = Bedside().streams([97, 97, 90], sign="spo2")

    bedside.tick(1000)

    assert bedside.said == [(62, "start", OVERDUE), (62, "start", "spo2-low")]
    assert bedside.alerts[1].flags == (Flag.SIGNAL_LOST,)
    assert bedside.alerts[1].reason is Reason.SIGNAL_LOST
    assert bedside.alerts[1].value == 90


def test_what_is_pending_from_another_device_waits_for_that_one():
    bedside = Bedside().streams([97, 97], sign="heart_rate")
    bedside.take(a_set(50, spo2=90, device="other"))

    bedside.tick(70)

    assert bedside.said == [(61, "start", OVERDUE)]


def test_a_sign_that_another_device_lost_last_is_still_lost_with_the_device_that_measured_it():
    bedside = Bedside().streams([97, 97, 90], sign="spo2")
    bedside.take(a_set(2.5, spo2=0, device="spare"))

    bedside.tick(1000)

    assert "spo2-low" in bedside.starts()


def test_silence_neither_raises_nor_ends_what_stands():
    limit = a_limit(a_tier(130))
    bedside = Bedside(a_protocol(limit)).streams([140, 140], sign="heart_rate")

    bedside.tick(1000)

    assert bedside.said == [(0, "start", "heart_rate-high"), (61, "start", OVERDUE)]


def test_a_silent_monitor_that_was_closed_is_forgotten():
    bedside = a_monitor().admitted(4)
    bedside.tick(100)

    evaluation = bedside.closes(110, OVERDUE)

    assert bedside.chart.devices == {}
    assert bedside.chart.due_ms is None
    assert [signal.is_silent for signal in evaluation.ward_signals] == [False]


def test_closing_another_alarm_forgets_no_device():
    bedside = a_monitor().streams([70], sign="spo2", begin=5)

    bedside.closes(6, "spo2-low")

    assert list(bedside.chart.devices) == ["monitor"]


def test_an_acknowledged_silence_ends_when_the_monitor_is_back():
    bedside = a_monitor()
    bedside.tick(100)
    alarm_id = bedside.alarm(OVERDUE).alarm_id

    bedside.take(an_order(AcknowledgeAlarm, 101, alarm_id=alarm_id))
    bedside.take(a_set(102, spo2=97))

    assert [phase for _, phase in bedside.said_of(OVERDUE)] == ["start", "update", "end"]


def test_the_ward_is_told_who_fell_silent_and_who_came_back():
    bedside = a_monitor().admitted(4)

    silent = bedside.tick(1000)
    back = bedside.take(a_set(1001, spo2=97))

    (first,), (second,) = silent.ward_signals, back.ward_signals
    assert (first.ward, first.subject, first.is_silent) == ("7b", "P-004217/monitor", True)
    assert (first.at_ms, second.at_ms) == (to_ms(at(64)), to_ms(at(1001)))
    assert (second.subject, second.is_silent) == (first.subject, False)


def test_a_patient_on_no_ward_tells_none():
    bedside = a_monitor()

    assert bedside.tick(1000).ward_signals == ()


@pytest.mark.parametrize("sets", [5, 6])
def test_a_spot_check_device_that_sends_like_a_monitor_is_one_technical_alarm(sets):
    bedside = Bedside().take_all(a_spot_check(30 * n, spo2=97) for n in range(sets))

    assert bedside.starts() == (["too-frequent/trolley"] if sets == 6 else [])  # five too soon in a row


def test_too_frequent_is_said_once_and_ends_when_it_sends_like_a_round_again():
    bedside = Bedside().take_all(a_spot_check(59 * n, spo2=97) for n in range(20))

    bedside.take(a_spot_check(59 * 19 + 60, spo2=97))

    assert [phase for _, phase, _ in bedside.said] == ["start", "end"]
    assert bedside.alerts[0].priority is Priority.LOW


def test_spot_checks_a_minute_apart_are_spot_checks():
    bedside = Bedside().take_all(a_spot_check(60 * n, spo2=97) for n in range(20))

    assert bedside.alerts == []


def test_several_sets_of_one_spot_check_are_no_burst():
    bedside = Bedside().take_all(a_spot_check(600 * (n // 4), spo2=99 - n % 4) for n in range(20))

    assert bedside.alerts == []


def test_a_monitor_sends_as_often_as_it_likes():
    bedside = a_monitor(count=100)

    assert bedside.alerts == []
    assert bedside.chart.devices["monitor"].burst == 0


def test_an_evaluation_leaves_its_chart_as_it_was():
    bedside = a_monitor()
    before = bedside.chart
    copy = evaluate(before, a_set(100, spo2=70), bedside.protocol)

    assert evaluate(before, a_set(100, spo2=70), bedside.protocol) == copy
    assert before.alarms == {}


def test_what_is_pending_from_a_clock_a_minute_ahead_is_lost_after_it_and_not_before():
    bedside = Bedside().streams([97, 97], sign="spo2")
    bedside.take(a_set(62, received=2, spo2=90))

    bedside.tick(62)

    assert "spo2-low" in bedside.starts()


def test_an_order_carries_the_logs_time_unless_it_says_otherwise():
    bedside = a_monitor()

    bedside.admitted(5)

    assert not bedside.chart.is_replayed
    assert bedside.chart.due_ms is not None
