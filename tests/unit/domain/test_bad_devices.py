"""The device as a whole: nothing of what it sends can be used, and then something can again."""

from dataclasses import replace

import orjson
import pytest

from domain.alarms import AlarmState, Kind, Priority
from domain.alerts import Phase, Reason
from domain.bad_devices import DeviceResult, DeviceStanding, by_device, evaluate_device
from domain.chart_form import device_standing_from_form, device_standing_to_form
from domain.observations import Mode
from domain.times import to_ms
from tests.builders import at, shipped


def a_standing(**changes):
    return replace(DeviceStanding(device_id="mon-1", mode=Mode.REAL, lane=2), **changes)


def results(word, *, first=0, device="mon-1", mode=Mode.REAL):
    """A set a second: n is one of which nothing can be used, u one of which something can."""
    return [
        DeviceResult(device_id=device, mode=mode, is_usable=letter == "u", at_ms=to_ms(at(first + place)))
        for place, letter in enumerate(word)
    ]


def after(word, *, standing=None, first=0):
    return evaluate_device(standing or a_standing(), results(word, first=first), shipped())


def said(evaluation):
    return [(alert.phase, alert.reason) for alert in evaluation.alerts]


@pytest.mark.parametrize(
    ("word", "is_raised"),
    [
        pytest.param("n" * 19, False, id="nineteen"),
        pytest.param("n" * 20, True, id="twenty"),
        pytest.param("n" * 10 + "uuuuu" + "n" * 10, True, id="twenty of the last twenty-five"),
        pytest.param("n" * 10 + "uuuuuu" + "n" * 9, False, id="nineteen of the last twenty-five"),
        pytest.param("n" * 10 + "uuuuuu" + "n" * 10, False, id="the first has been forgotten"),
        pytest.param("nu" * 60, False, id="every other one"),
        pytest.param("u" * 40, False, id="all can be used"),
    ],
)
def test_twenty_unusable_sets_of_the_last_twenty_five_are_one_alarm(word, is_raised):
    evaluation = after(word)

    assert said(evaluation) == ([(Phase.START, Reason.DEVICE_UNUSABLE)] if is_raised else [])
    assert (evaluation.standing.alarm is not None) is is_raised


def test_the_alert_names_the_device_and_no_patient():
    (alert,) = after("n" * 20).alerts

    assert (alert.rule_id, alert.kind, alert.priority) == ("device-unusable", Kind.TECHNICAL, Priority.MEDIUM)
    assert (alert.device_id, alert.patient_id, alert.ward, alert.mode) == ("mon-1", None, None, Mode.REAL)
    assert (alert.onset_at, alert.observed_at, alert.determined_at) == (at(19), at(19), at(19))
    assert (alert.chart_seq, alert.state) == (1, AlarmState.ACTIVE)
    assert alert.title == "Device mon-1: nothing it sends can be used, check the device and its patient"


def test_more_of_the_same_says_nothing_more():
    assert said(after("n" * 90)) == [(Phase.START, Reason.DEVICE_UNUSABLE)]


def test_three_usable_sets_in_a_row_end_it_and_the_count_begins_anew():
    bad = after("n" * 30).standing
    still = after("uunuu", standing=bad, first=30)
    good = after("u", standing=still.standing, first=40)

    assert still.alerts == ()
    assert said(good) == [(Phase.END, Reason.DEVICE_USABLE)]
    assert (good.alerts[0].ended_at, good.ended[0].state) == (at(40), AlarmState.INACTIVE)
    assert good.alerts[0].title == "Device mon-1: what it sends: it can be used again"
    assert (good.standing.alarm, good.standing.results) == (None, "")
    assert said(after("n" * 19, standing=good.standing, first=50)) == []
    assert said(after("n" * 20, standing=good.standing, first=50)) == [(Phase.START, Reason.DEVICE_UNUSABLE)]


def test_a_second_episode_is_another_one_of_the_same_alarm():
    evaluation = after("n" * 20 + "uuu" + "n" * 20)

    first, _, second = evaluation.alerts
    assert first.alarm_id == second.alarm_id
    assert first.episode_id != second.episode_id


@pytest.mark.parametrize(
    ("word", "is_suspect"),
    [
        ("n", True),
        ("nuuu", True),
        ("n" + "u" * 24, True),
        ("n" + "u" * 25, False),
        ("n" * 20, True),
        ("u", False),
    ],
)
def test_a_device_is_suspect_while_any_of_its_last_sets_could_not_be_used(word, is_suspect):
    assert after(word).standing.is_suspect is is_suspect


def test_while_its_alarm_stands_a_device_is_suspect_whatever_came():
    bad = after("n" * 20).standing

    assert replace(bad, results="").is_suspect is True


def test_its_clock_never_runs_backwards_and_it_counts_what_it_took_in():
    evaluation = evaluate_device(a_standing(), [*results("n", first=9), *results("n", first=3)], shipped())

    assert (evaluation.standing.clock_ms, evaluation.standing.device_seq) == (to_ms(at(9)), 1)


@pytest.mark.parametrize("word", ["n", "n" * 20])
def test_a_standing_comes_back_as_it_was_stored(word):
    standing = after(word).standing

    form = orjson.loads(orjson.dumps(device_standing_to_form(standing)))

    assert (
        device_standing_from_form(form, device_id="mon-1", mode=Mode.REAL, lane=2, device_seq=1) == standing
    )


def test_results_are_told_apart_by_device_and_mode():
    mixed = [*results("n"), *results("u", device="mon-2"), *results("n", mode=Mode.TEST), *results("u")]

    found = by_device(mixed)

    assert {key: len(some) for key, some in found.items()} == {
        ("mon-1", Mode.REAL): 2,
        ("mon-2", Mode.REAL): 1,
        ("mon-1", Mode.TEST): 1,
    }
