"""The ward and its input: what is paused, what was lost, and for how long that is told."""

from dataclasses import replace

import orjson
import pytest

from domain.alarms import AlarmState, Kind, Priority
from domain.alerts import Phase, Reason
from domain.chart_form import ward_from_form, ward_to_form
from domain.observations import Mode
from domain.times import to_ms
from domain.wards import NO_WARD, InputLoss, InputPause, Ward, WardTick, evaluate_ward
from tests.builders import at, shipped

MINUTE, HOUR = 60, 3600


def a_ward(name="7b"):
    return Ward(ward=name, mode=Mode.REAL, lane=1)


def paused(seconds, subject="readings/0", *, is_paused=True, ward="7b"):
    return InputPause(
        ward=ward, mode=Mode.REAL, subject=subject, is_paused=is_paused, at_ms=to_ms(at(seconds))
    )


def resumed(seconds, subject="readings/0"):
    return paused(seconds, subject, is_paused=False)


def lost(first, last, *, found=None, subject="readings/0"):
    return InputLoss(
        ward="7b", mode=Mode.REAL, subject=subject, from_ms=to_ms(at(first)), until_ms=to_ms(at(last)),
        at_ms=to_ms(at(last if found is None else found)),
    )  # fmt: skip


def tick(seconds):
    return WardTick(ward="7b", mode=Mode.REAL, at_ms=to_ms(at(seconds)))


def after(*events, ward=None):
    return evaluate_ward(ward or a_ward(), events, shipped())


def said(evaluation):
    return [(alert.phase, alert.reason) for alert in evaluation.alerts]


def test_paused_input_is_one_high_technical_alarm_for_the_ward():
    evaluation = after(paused(5))

    (alert,) = evaluation.alerts
    assert (alert.phase, alert.reason) == (Phase.START, Reason.INPUT_PAUSED)
    assert (alert.rule_id, alert.kind, alert.priority) == ("input-paused", Kind.TECHNICAL, Priority.HIGH)
    assert (alert.ward, alert.patient_id, alert.device_id) == ("7b", None, None)
    assert (alert.onset_at, alert.observed_at, alert.determined_at) == (at(5), at(5), at(5))
    assert alert.title == "Ward 7b: what monitors send cannot be used, patients are not watched, check them"
    assert evaluation.ward.alarms["input-paused"].started_ms == to_ms(at(5))


def test_a_second_partition_says_nothing_more_and_the_last_one_to_resume_ends_it():
    begun = after(paused(1), paused(2, "commands/0"), paused(3))
    still = after(resumed(10), ward=begun.ward)
    ended = after(resumed(11, "commands/0"), ward=still.ward)

    assert said(begun) == [(Phase.START, Reason.INPUT_PAUSED)]
    assert still.alerts == ()
    assert said(ended) == [(Phase.END, Reason.INPUT_RESUMED)]
    assert (ended.alerts[0].ended_at, ended.ended[0].state) == (at(11), AlarmState.INACTIVE)
    assert ended.alerts[0].title == "Ward 7b: what the monitors send: it can be used again"
    assert ended.ward.alarms == {}


def test_what_was_not_paused_resumes_without_a_word():
    assert after(resumed(1)).alerts == ()


def test_two_pauses_are_two_episodes_of_one_alarm():
    first = after(paused(1), resumed(2))
    second = after(paused(3), ward=first.ward)

    assert first.alerts[0].alarm_id == second.alerts[0].alarm_id
    assert first.alerts[0].episode_id != second.alerts[0].episode_id


def test_patients_on_no_ward_are_told_about_too():
    evaluation = after(paused(1, ward=NO_WARD), ward=a_ward(NO_WARD))

    (alert,) = evaluation.alerts
    assert alert.ward is None
    assert alert.title.startswith("Patients on no ward: what monitors send cannot be used")


def test_lost_input_is_told_with_its_hours():
    evaluation = after(lost(0, 12 * MINUTE, found=13 * MINUTE))

    (alert,) = evaluation.alerts
    assert (alert.phase, alert.reason, alert.priority) == (Phase.START, Reason.INPUT_LOST, Priority.MEDIUM)
    assert (alert.onset_at, alert.observed_at) == (at(0), at(13 * MINUTE))
    assert alert.title == (
        f"Ward 7b: readings that came from {at(0):%H:%M} to {at(12 * MINUTE):%H:%M} UTC were lost, check the patients"
    )


def test_a_loss_over_midnight_is_told_with_its_days():
    (alert,) = after(lost(0, 30 * HOUR)).alerts

    assert f"from {at(0):%Y-%m-%d %H:%M} to {at(30 * HOUR):%Y-%m-%d %H:%M} UTC" in alert.title


@pytest.mark.parametrize(
    ("first", "last", "is_told"),
    [
        pytest.param(10, 600, False, id="within"),
        pytest.param(-60, 600, False, id="a minute longer"),
        pytest.param(-30, 630, False, id="a minute longer in all"),
        pytest.param(-60.001, 600, True, id="more than a minute earlier"),
        pytest.param(0, 660.001, True, id="more than a minute later"),
    ],
)
def test_another_partitions_loss_is_told_where_it_makes_it_longer_by_more_than_a_minute(first, last, is_told):
    ward = after(lost(0, 600, found=700)).ward

    evaluation = after(lost(first, last, found=700, subject="readings/1"), ward=ward)

    assert said(evaluation) == ([(Phase.UPDATE, Reason.INPUT_LOST)] if is_told else [])
    if is_told:
        (alert,) = evaluation.alerts
        assert alert.episode_id == ward.alarms["input-lost"].episode_id
        assert alert.onset_at == at(min(first, 0))


def test_a_loss_is_told_for_an_hour_and_ends_at_its_own_time():
    begun = after(lost(0, 60, found=100)).ward
    early = after(tick(100 + HOUR - 1), ward=begun)
    late = after(tick(100 + HOUR + 7), ward=early.ward)

    assert begun.due_ms == to_ms(at(100 + HOUR))
    assert early.alerts == ()
    assert said(late) == [(Phase.END, Reason.TOLD_LONG_ENOUGH)]
    assert late.alerts[0].ended_at == at(100 + HOUR)
    assert (
        late.alerts[0].title
        == f"Ward 7b: readings lost from {at(0):%H:%M} to {at(60):%H:%M} UTC: told long enough"
    )
    assert (late.ward.due_ms, late.ward.alarms) == (None, {})


def test_it_ends_at_the_very_moment_it_is_due():
    begun = after(lost(0, 60, found=100)).ward

    assert said(after(tick(100 + HOUR), ward=begun)) == [(Phase.END, Reason.TOLD_LONG_ENOUGH)]


def test_a_later_loss_is_told_for_an_hour_of_its_own():
    begun = after(lost(0, 60, found=100)).ward
    longer = after(lost(0, 600, found=700), ward=begun).ward

    assert after(tick(100 + HOUR), ward=longer).alerts == ()
    assert said(after(tick(700 + HOUR), ward=longer)) == [(Phase.END, Reason.TOLD_LONG_ENOUGH)]


def test_a_tick_for_a_ward_with_nothing_to_end_says_nothing():
    assert after(tick(1)).alerts == ()
    assert after(tick(1), ward=replace(a_ward(), due_ms=0)).ward.due_ms is None


def test_the_wards_clock_never_runs_backwards():
    assert after(paused(9), resumed(3)).alerts[1].determined_at == at(9)


def test_a_ward_with_all_of_it_comes_back_as_it_was_stored():
    ward = after(paused(1), lost(0, 60), paused(2, "readings/1")).ward

    form = orjson.loads(orjson.dumps(ward_to_form(ward)))

    assert ward_from_form(form, ward="7b", mode=Mode.REAL, lane=1, ward_seq=1) == ward


def test_a_form_of_the_version_before_can_be_read():
    form = {"v": 1, "clock": 4, "silent": {"p1/m": 4}, "alarm": None}

    ward = ward_from_form(form, ward="7b", mode=Mode.REAL, lane=1, ward_seq=1)

    assert ward == replace(a_ward(), ward_seq=1, clock_ms=4, silent={"p1/m": 4})
