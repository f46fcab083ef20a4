"""Whether a lane is watched, as its holder sees it and as anybody sees it from outside."""

import pytest

from domain.times import to_ms
from domain.watch import WATCHED, Watch, WatchReason, WatchState
from domain.watching import (
    Gap,
    LaneSigns,
    SignOfLife,
    gap_before,
    lane_reason,
    lane_watch,
    patient_watch,
    sign_of_life,
)
from tests.builders import Bedside, a_set, at

NOW = 1_000_000
NOT = WatchState.NOT_WATCHED
SIGNS = LaneSigns(seen_ms=NOW)
LIFE = SignOfLife(at_ms=NOW, watched_until_ms=NOW, seen_ms=NOW)


@pytest.mark.parametrize(
    ("signs", "reason"),
    [
        pytest.param(SIGNS, None, id="all is well"),
        pytest.param(LaneSigns(seen_ms=NOW - 30_000), None, id="half a minute behind"),
        pytest.param(LaneSigns(seen_ms=NOW - 30_001), WatchReason.INPUT_BEHIND, id="further behind"),
        pytest.param(LaneSigns(seen_ms=None), WatchReason.INPUT_BEHIND, id="nobody knows how far behind"),
        pytest.param(LaneSigns(seen_ms=NOW, unsent_ms=NOW - 20_000), None, id="just changing hands"),
        pytest.param(
            LaneSigns(seen_ms=NOW, unsent_ms=NOW - 20_001), WatchReason.ALERTS_NOT_SENT, id="unpublished"
        ),
        pytest.param(LaneSigns(seen_ms=NOW, is_paused=True), WatchReason.INPUT_PAUSED, id="paused"),
        pytest.param(LaneSigns(seen_ms=NOW, is_stopped=True), WatchReason.LANE_STOPPED, id="stopped"),
        pytest.param(
            LaneSigns(seen_ms=None, unsent_ms=0, is_paused=True),
            WatchReason.INPUT_PAUSED,
            id="the cause first",
        ),
    ],
)
def test_a_lanes_holder_says_why_its_patients_are_not_watched(signs, reason):
    assert lane_reason(signs, NOW) is reason


@pytest.mark.parametrize(
    ("sign", "now_ms", "expected"),
    [
        pytest.param(LIFE, NOW + 20_000, WATCHED, id="a sign of life 20 s ago"),
        pytest.param(LIFE, NOW + 20_001, Watch(NOT, WatchReason.NOBODY_EVALUATES, NOW), id="none for longer"),
        pytest.param(None, NOW, Watch(NOT, WatchReason.NOBODY_EVALUATES), id="none ever"),
        pytest.param(
            SignOfLife(at_ms=NOW, watched_until_ms=7, reason=WatchReason.INPUT_PAUSED),
            NOW,
            Watch(NOT, WatchReason.INPUT_PAUSED, 7),
            id="its holder says that it is not watched",
        ),
    ],
)
def test_from_outside_silence_means_that_nobody_evaluates(sign, now_ms, expected):
    assert lane_watch(sign, now_ms) == expected


def test_a_holder_that_watches_says_so_up_to_now():
    before = SignOfLife(at_ms=1, watched_until_ms=1, seen_ms=1)

    assert sign_of_life(before, SIGNS, NOW) == LIFE


def test_a_holder_that_does_not_watch_keeps_the_moment_until_which_somebody_did():
    before = SignOfLife(at_ms=5, watched_until_ms=4, seen_ms=3)

    after = sign_of_life(before, LaneSigns(seen_ms=None), NOW)

    assert after == SignOfLife(at_ms=NOW, watched_until_ms=4, seen_ms=3, reason=WatchReason.INPUT_BEHIND)


def test_a_lane_that_was_never_watched_has_no_such_moment():
    after = sign_of_life(None, LaneSigns(seen_ms=None), NOW)

    assert (after.watched_until_ms, after.seen_ms) == (None, None)


@pytest.mark.parametrize(
    ("before", "gap"),
    [
        pytest.param(None, None, id="the first sign of life"),
        pytest.param(SignOfLife(at_ms=5), None, id="never watched before"),
        pytest.param(SignOfLife(at_ms=5, watched_until_ms=NOW - 59_999), None, id="a short while"),
        pytest.param(
            SignOfLife(at_ms=5, watched_until_ms=NOW - 60_000),
            Gap(NOW - 60_000, NOW, WatchReason.NOBODY_EVALUATES),
            id="a minute of nobody",
        ),
        pytest.param(
            SignOfLife(at_ms=NOW - 5, watched_until_ms=7, reason=WatchReason.INPUT_BEHIND),
            Gap(7, NOW, WatchReason.INPUT_BEHIND),
            id="for a reason its holder knew",
        ),
    ],
)
def test_the_time_nobody_watched_is_noted_after_the_return(before, gap):
    assert gap_before(before, LIFE) == gap


def test_nothing_is_noted_before_the_return():
    after = SignOfLife(at_ms=NOW, watched_until_ms=7, reason=WatchReason.INPUT_BEHIND)

    assert gap_before(SignOfLife(at_ms=5, watched_until_ms=7), after) is None


class TestPatient:
    @staticmethod
    def monitored():
        bedside = Bedside().admitted(0, ward="7B")
        bedside.take_all([a_set(second, heart_rate=80) for second in range(1, 61)])
        return bedside

    @staticmethod
    def watch(bedside, sign, seconds):
        return patient_watch(bedside.chart, sign, bedside.protocol, to_ms(at(seconds)))

    @staticmethod
    def sign(seconds, **rest):
        ms = to_ms(at(seconds))
        return SignOfLife(**({"at_ms": ms, "watched_until_ms": ms, "seen_ms": ms} | rest))

    def test_who_is_not_admitted_is_not_counted(self):
        bedside = Bedside()
        bedside.take(a_set(1, heart_rate=80))

        assert self.watch(bedside, self.sign(1), 1) is None

    def test_a_patient_is_watched_whose_monitor_and_lane_are(self):
        assert self.watch(self.monitored(), self.sign(65), 70) == WATCHED

    def test_a_patient_whose_lane_nobody_holds_is_not_watched_since_then(self):
        found = self.watch(self.monitored(), self.sign(61), 120)

        assert found == Watch(NOT, WatchReason.NOBODY_EVALUATES, to_ms(at(61)))

    def test_a_silence_that_is_ours_is_not_the_devices(self):
        sign = self.sign(200, seen_ms=to_ms(at(61)), reason=WatchReason.INPUT_BEHIND)

        assert self.watch(self.monitored(), sign, 200).reason is WatchReason.INPUT_BEHIND

    def test_a_device_that_was_silent_before_remains_the_reason(self):
        found = self.watch(self.monitored(), self.sign(300), 400)

        assert found == Watch(NOT, WatchReason.DEVICE_SILENT, to_ms(at(60)))

    def test_a_patient_admitted_while_nobody_watches_is_not_watched_since_the_admission(self):
        bedside = Bedside().admitted(100, ward="7B")

        found = self.watch(bedside, self.sign(5), 130)

        assert found == Watch(NOT, WatchReason.NOBODY_EVALUATES, to_ms(at(100)))

    def test_where_nobody_ever_watched_the_admission_is_the_beginning(self):
        found = self.watch(self.monitored(), None, 61)

        assert found == Watch(NOT, WatchReason.NOBODY_EVALUATES, to_ms(at(0)))
