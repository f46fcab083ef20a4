"""The ward: several monitors silent at once are one alarm, which no single chart can see."""

import pytest

from domain.alarms import AlarmState, Kind, Priority
from domain.alerts import Phase, Reason
from domain.observations import Mode
from domain.times import to_ms
from domain.wards import Ward, WardSignal, evaluate_ward
from tests.builders import Bedside, a_set, at, shipped


def silent(subject, seconds, *, is_silent=True):
    return WardSignal(
        ward="7b", mode=Mode.REAL, subject=subject, is_silent=is_silent, at_ms=to_ms(at(seconds))
    )


def back(subject, seconds):
    return silent(subject, seconds, is_silent=False)


def after(*signals, ward=None):
    ward = ward or Ward(ward="7b", mode=Mode.REAL, lane=3)
    return evaluate_ward(ward, signals, shipped())


@pytest.mark.parametrize(
    ("seconds", "raised"),
    [
        ((0, 10), False),
        ((0, 30, 60), True),
        ((0, 30, 60.001), False),
        ((0, 61, 61, 61), True),
        ((0, 50, 100), False),
        ((60, 0, 30), True),
    ],
)
def test_three_monitors_silent_within_a_minute_are_one_high_alarm_for_the_ward(seconds, raised):
    evaluation = after(*(silent(f"p{n}/m", when) for n, when in enumerate(seconds)))

    assert [alert.phase for alert in evaluation.alerts] == ([Phase.START] if raised else [])
    assert bool(evaluation.ward.alarms) is raised


def test_the_wards_alert_names_the_ward_and_no_patient():
    evaluation = after(silent("p0/m", 0), silent("p1/m", 20), silent("p2/m", 50))

    (alert,) = evaluation.alerts
    assert (alert.rule_id, alert.kind, alert.priority) == ("ward-silent", Kind.TECHNICAL, Priority.HIGH)
    assert (alert.ward, alert.patient_id, alert.bed, alert.vital_sign) == ("7b", None, None, None)
    assert (alert.onset_at, alert.observed_at, alert.determined_at) == (at(0), at(50), at(50))
    assert (alert.chart_seq, alert.state, alert.reason) == (1, AlarmState.ACTIVE, Reason.WARD_SILENT)
    assert (alert.protocol_hash, alert.ended_at) == (shipped().digest, None)
    assert alert.title == "Ward 7b: several monitors fell silent at once, check the network"
    assert set(evaluation.ward.alarms) == {"ward-silent"}
    assert evaluation.ward.alarms["ward-silent"].started_ms == to_ms(at(50))


def test_the_alarm_stands_while_enough_are_silent_and_ends_with_the_first_too_few():
    ward = after(*(silent(f"p{n}/m", n) for n in range(4))).ward

    still = after(back("p0/m", 100), ward=ward)
    ended = after(back("p1/m", 110), ward=still.ward)

    assert still.alerts == ()
    assert [(alert.phase, alert.reason, alert.ended_at) for alert in ended.alerts] == [
        (Phase.END, Reason.SIGNAL_BACK, at(110))
    ]
    assert ended.alerts[0].title == "Ward 7b: silent monitors: signal is back"
    assert ended.ended[0].state is AlarmState.INACTIVE
    assert ended.ward.alarms == {}


def test_a_fourth_silent_monitor_says_nothing_more():
    evaluation = after(*(silent(f"p{n}/m", n) for n in range(6)))

    assert len(evaluation.alerts) == 1


def test_the_same_monitor_silent_again_counts_once():
    evaluation = after(silent("p0/m", 0), silent("p0/m", 1), silent("p1/m", 2))

    assert evaluation.alerts == ()


def test_coming_back_raises_nothing_even_among_the_silent():
    ward = Ward(ward="7b", mode=Mode.REAL, lane=0, silent={f"p{n}/m": to_ms(at(n)) for n in range(3)})

    assert after(back("p9/m", 3), ward=ward).alerts == ()


def test_a_ward_numbers_what_it_took_in_and_its_clock_never_runs_backwards():
    evaluation = after(silent("p0/m", 50), silent("p1/m", 20))

    assert (evaluation.ward.ward_seq, evaluation.ward.clock_ms) == (1, to_ms(at(50)))
    assert evaluation.ward.lane == 3


def test_a_second_episode_is_another_one_of_the_same_alarm():
    begun = after(*(silent(f"p{n}/m", n) for n in range(3)))
    ended = after(back("p0/m", 100), ward=begun.ward)

    again = after(silent("p0/m", 101), silent("p3/m", 102), silent("p4/m", 103), ward=ended.ward)

    first, second = begun.alerts[0], again.alerts[0]
    assert first.alarm_id == second.alarm_id
    assert first.episode_id != second.episode_id
    assert again.ward.ward_seq == 3


def test_test_data_has_a_ward_of_its_own():
    real = after(*(silent(f"p{n}/m", n) for n in range(3)))
    test = after(*(silent(f"p{n}/m", n) for n in range(3)), ward=Ward(ward="7b", mode=Mode.TEST, lane=3))

    assert test.alerts[0].mode is Mode.TEST
    assert test.alerts[0].alarm_id != real.alerts[0].alarm_id


def test_a_patient_who_moves_takes_the_silent_monitor_off_the_old_wards_list():
    bedside = Bedside().streams([97, 97], sign="spo2").admitted(1)
    (gone,) = bedside.tick(1000).ward_signals

    moved = bedside.moves(1001, ward="8a").ward_signals
    within = bedside.moves(1002, ward="8a", bed="2").ward_signals

    assert [(signal.ward, signal.subject, signal.is_silent) for signal in moved] == [
        ("7b", gone.subject, False)
    ]
    assert within == ()


def test_an_admission_elsewhere_does_so_too_and_a_discharge_as_well():
    bedside = Bedside().streams([97, 97], sign="spo2").admitted(1)
    bedside.tick(1000)

    bedside.admitted(1001, ward="8a")
    left = bedside.leaves(1002)

    assert [(signal.ward, signal.is_silent) for signal in bedside.evaluations[-2].ward_signals] == [
        ("7b", False)
    ]
    assert [(signal.ward, signal.is_silent) for signal in left.ward_signals] == [("8a", False)]


def test_a_monitor_that_speaks_is_on_no_list():
    bedside = Bedside().streams([97, 97], sign="spo2").admitted(1)

    assert bedside.moves(2, ward="8a").ward_signals == ()
    assert bedside.take(a_set(3, spo2=97)).ward_signals == ()
