"""How a patient is watched, as far as their chart tells."""

from dataclasses import replace

import pytest

from domain.chart_watch import chart_watch, watched_until_ms
from domain.commands import Admit
from domain.times import to_ms
from domain.unevaluated import Unevaluated
from domain.watch import WATCHED, Watch, WatchReason, WatchState
from tests.builders import Bedside, a_limit, a_protocol, a_set, a_spot_check, an_order, at

HOUR = 3600
ADMITTED = an_order(Admit, 0, ward="7B", bed="12")
NOT, PARTLY = WatchState.NOT_WATCHED, WatchState.PARTLY


def ms(seconds):
    return to_ms(at(seconds))


def watch_of(bedside, seconds):
    return chart_watch(bedside.chart, bedside.protocol, ms(seconds))


def monitored(*, until=60, devices=("monitor",), **values):
    """A patient admitted at 0 whose monitors have sent every second until *until*."""
    values = values or {"heart_rate": 80, "spo2": 97}
    bedside = Bedside()
    bedside.take(ADMITTED)
    for second in range(1, until + 1):
        for device in devices:
            bedside.take(a_set(second, device=device, **values))
    return bedside


def test_nobody_is_asked_about_who_is_not_admitted():
    bedside = Bedside()

    bedside.take(a_set(1, heart_rate=80))

    assert watch_of(bedside, 1) is None


def test_a_patient_of_whom_nothing_has_come_is_not_watched_since_the_admission():
    bedside = Bedside()

    bedside.take(ADMITTED)

    assert watch_of(bedside, 5) == Watch(NOT, WatchReason.NO_DATA_YET, ms(0))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        pytest.param(89, WATCHED, id="29 s after the last set"),
        pytest.param(90, Watch(NOT, WatchReason.DEVICE_SILENT, ms(60)), id="30 s after the last set"),
    ],
)
def test_a_silent_monitor_unwatches_its_patient_within_half_a_minute(seconds, expected):
    assert watch_of(monitored(), seconds) == expected


def test_a_monitor_that_sends_every_minute_is_given_three():
    bedside = Bedside()
    bedside.take(ADMITTED)
    for second in (60, 120, 180):
        bedside.take(a_set(second, heart_rate=80))

    assert watch_of(bedside, 359) == WATCHED
    assert watch_of(bedside, 360) == Watch(NOT, WatchReason.DEVICE_SILENT, ms(180))


def test_a_monitor_heard_once_is_given_the_longest_time():
    bedside = Bedside()
    bedside.take(ADMITTED)
    bedside.take(a_set(1, heart_rate=80))

    assert watch_of(bedside, 300) == WATCHED
    assert watch_of(bedside, 301).state is NOT


def test_a_monitor_that_was_told_to_be_silent_is_silent_whatever_the_clock():
    bedside = monitored()
    bedside.tick(121)

    assert bedside.chart.devices["monitor"].is_overdue
    assert watch_of(bedside, 0) == Watch(NOT, WatchReason.DEVICE_SILENT, ms(60))


def test_of_two_monitors_one_silent_watches_in_part():
    bedside = monitored(devices=("a", "b"))
    for second in range(61, 101):
        bedside.take(a_set(second, device="b", heart_rate=80))

    assert watch_of(bedside, 100) == Watch(PARTLY, WatchReason.DEVICE_SILENT, ms(60))


def test_a_patient_whose_monitors_are_all_silent_is_not_watched_since_the_last_was_lost():
    bedside = monitored(devices=("a", "b"))
    for second in range(61, 101):
        bedside.take(a_set(second, device="b", heart_rate=80))

    assert watch_of(bedside, 140) == Watch(NOT, WatchReason.DEVICE_SILENT, ms(100))


def test_rounds_watch_in_part_whose_monitor_is_lost():
    bedside = monitored()
    bedside.take(a_spot_check(70, heart_rate=80))

    assert watch_of(bedside, 200) == Watch(PARTLY, WatchReason.DEVICE_SILENT, ms(60))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        pytest.param(10 + 6 * HOUR, WATCHED, id="six hours later"),
        pytest.param(
            11 + 6 * HOUR, Watch(NOT, WatchReason.READINGS_TOO_OLD, ms(10)), id="more than six hours later"
        ),
    ],
)
def test_rounds_watch_as_long_as_their_readings_are_the_present(seconds, expected):
    bedside = Bedside()
    bedside.take_all([ADMITTED, a_spot_check(10, heart_rate=80)])

    assert watch_of(bedside, seconds) == expected


def test_old_rounds_take_nothing_from_a_monitor():
    bedside = Bedside()
    bedside.take_all([ADMITTED, a_spot_check(10, heart_rate=80)])
    later = 24 * HOUR
    bedside.take_all([a_set(later + second, heart_rate=80) for second in range(5)])

    assert watch_of(bedside, later + 5) == WATCHED


def test_a_patient_whose_silent_monitor_was_taken_away_has_none():
    bedside = monitored()
    bedside.tick(121)
    bedside.closes(130, "signal-overdue/monitor")

    assert watch_of(bedside, 140) == Watch(NOT, WatchReason.NO_DEVICE, ms(60))


def test_a_sensor_off_beside_one_that_works_watches_in_part():
    bedside = monitored()
    for second in range(61, 100):
        bedside.take(a_set(second, heart_rate=80, spo2=None))

    assert watch_of(bedside, 100) == Watch(PARTLY, WatchReason.SENSOR_OFF, ms(81))


def test_the_only_sensor_off_leaves_nothing():
    bedside = monitored(spo2=97)
    for second in range(61, 100):
        bedside.take(a_set(second, spo2=None))

    assert watch_of(bedside, 100) == Watch(NOT, WatchReason.SENSOR_OFF, ms(81))


def test_no_signal_on_any_channel_is_not_watched():
    bedside = monitored()
    for second in range(61, 100):
        bedside.take(a_set(second, heart_rate=None, spo2=None))

    assert watch_of(bedside, 100) == Watch(NOT, WatchReason.NO_SIGNAL, ms(61))


def test_a_monitor_that_never_had_a_signal_watches_nobody():
    bedside = monitored(heart_rate=None, until=10)

    assert watch_of(bedside, 11) == Watch(NOT, WatchReason.NO_SIGNAL, ms(1))


def test_a_monitor_whose_sets_cannot_be_evaluated_watches_nobody():
    bedside = monitored()
    bedside.take(Unevaluated(at=at(61), device_id="monitor"))

    assert watch_of(bedside, 62) == Watch(NOT, WatchReason.EVALUATION_FAILING, ms(61))


def test_a_device_of_which_no_set_could_be_evaluated_is_known_all_the_same():
    bedside = monitored()
    bedside.take(Unevaluated(at=at(61), device_id="another"))

    assert watch_of(bedside, 62) == Watch(PARTLY, WatchReason.EVALUATION_FAILING, ms(61))


def test_a_chart_whose_time_cannot_be_evaluated_is_not_watched():
    bedside = monitored()
    bedside.take(Unevaluated(at=at(61)))

    assert watch_of(bedside, 62) == Watch(NOT, WatchReason.EVALUATION_FAILING, ms(61))


def test_a_patient_on_whose_signs_no_limit_stands_is_not_watched():
    bedside = Bedside(a_protocol(a_limit()))
    bedside.take_all([ADMITTED, *(a_set(second, spo2=97) for second in range(1, 5))])

    assert watch_of(bedside, 5) == Watch(NOT, WatchReason.LIMITS_OFF, ms(0))


def test_a_limit_for_other_ages_is_none_for_this_patient():
    for_children = replace(a_limit(), age_from=0, age_below=12)
    bedside = Bedside(a_protocol(for_children))
    bedside.take_all([ADMITTED, *(a_set(second, heart_rate=80) for second in range(1, 5))])

    assert watch_of(bedside, 5) == Watch(NOT, WatchReason.LIMITS_OFF, ms(0))


def test_a_replayed_patient_is_judged_at_the_recordings_own_time():
    bedside = Bedside()
    bedside.take(ADMITTED)
    bedside.take_all([a_set(second, heart_rate=80, replayed=True) for second in range(1, 60)])

    assert watch_of(bedside, 24 * HOUR) == WATCHED
    assert watched_until_ms(bedside.chart, bedside.protocol) is None


def test_it_is_known_beforehand_when_a_patient_will_no_longer_be_watched():
    bedside = monitored(devices=("a", "b"))
    bedside.take(a_set(61, device="b", heart_rate=80))
    until = watched_until_ms(bedside.chart, bedside.protocol)

    assert until == ms(91)
    assert watch_of(bedside, 90.999) != watch_of(bedside, 91)
    assert watch_of(bedside, 91).state is NOT


def test_with_rounds_a_patient_is_watched_until_they_are_too_old():
    bedside = monitored()
    bedside.take(a_spot_check(70, heart_rate=80))

    assert watched_until_ms(bedside.chart, bedside.protocol) == ms(70 + 6 * HOUR)


def test_a_patient_without_a_device_is_watched_until_no_time():
    bedside = Bedside()
    bedside.take(ADMITTED)

    assert watched_until_ms(bedside.chart, bedside.protocol) is None


def test_who_is_moved_is_watched_as_before():
    bedside = monitored()
    bedside.moves(61, ward="8A", bed="1")

    assert watch_of(bedside, 62) == WATCHED
