"""Readings that come late: paged while they are the present, told when they no longer are."""

import pytest

from domain.alarms import AlarmState, Kind, Priority
from domain.alerts import Flag, Phase, Reason
from domain.limit_alarms import Verdict
from domain.protocol import Side
from domain.vital_signs import VitalSign
from tests.builders import Bedside, a_limit, a_protocol, a_set, a_spot_check, a_tier, at

MIN = 60
LOW, MEDIUM, HIGH = Priority.LOW, Priority.MEDIUM, Priority.HIGH


def test_the_newest_value_pages_however_late_and_says_how_late():
    bedside = Bedside()

    evaluation = bedside.take(a_set(0, received=10 * MIN, spo2=70))

    (alert,) = evaluation.alerts
    assert (alert.phase, alert.flags) == (Phase.START, (Flag.LATE,))
    assert evaluation.flags == (Flag.LATE,)
    assert (alert.observed_at, alert.received_at) == (at(0), at(10 * MIN))
    assert alert.title.endswith("SpO2 70 %, limit below 80 %, observed 10 min ago")


@pytest.mark.parametrize(("received", "is_late"), [(60, False), (60.001, True)])
def test_a_minute_is_not_late(received, is_late):
    evaluation = Bedside().take(a_set(0, received=received, spo2=97))

    assert (Flag.LATE in evaluation.flags) is is_late


@pytest.mark.parametrize(
    ("sign", "value", "streamed", "oldest"),
    [
        ("spo2", 70, True, 15 * MIN), ("respiratory_rate", 5, True, 15 * MIN), ("heart_rate", 30, True, 15 * MIN),
        ("pulse", 30, True, 15 * MIN), ("systolic_pressure", 70, True, 60 * MIN),
        ("body_temperature", 39.5, True, 60 * MIN), ("spo2", 70, False, 360 * MIN),
        ("systolic_pressure", 70, False, 360 * MIN),
    ],
)  # fmt: skip
def test_a_value_is_the_present_up_to_the_oldest_age_of_its_sign(sign, value, streamed, oldest):
    in_time, too_old = Bedside(), Bedside()

    first = in_time.take(a_set(0, received=oldest, streamed=streamed, **{sign: value}))
    second = too_old.take(a_set(0, received=oldest + 0.001, streamed=streamed, **{sign: value}))

    assert [alert.phase for alert in first.alerts] == [Phase.START]
    assert second.verdicts == (Verdict.TOO_OLD,)
    assert [alert.phase for alert in second.alerts] == [Phase.TPOINT]
    assert too_old.open == {}


def test_an_overtaken_value_is_a_late_finding_and_no_alarm():
    bedside = Bedside()
    bedside.take(a_set(100, spo2=97))

    evaluation = bedside.take(a_set(39, received=101, spo2=70))

    (alert,) = evaluation.alerts
    assert evaluation.verdicts == (Verdict.OVERTAKEN,)
    assert (alert.phase, alert.reason, alert.rule_id) == (
        Phase.TPOINT,
        Reason.LATE_FINDING,
        "late-finding/spo2-low",
    )
    assert (alert.kind, alert.priority, alert.state) == (Kind.ADVISORY, LOW, AlarmState.INACTIVE)
    assert (alert.value, alert.observed_at, alert.ended_at) == (70, at(39), None)
    assert alert.breach is not None
    assert alert.breach.threshold == 92
    assert alert.evidence == (bedside_reading(39),)
    assert alert.title.endswith("SpO2 70 %, limit below 92 %, observed 1 min ago, newer values are known")
    assert (bedside.open, evaluation.ended) == ({}, ())


def bedside_reading(second):
    return a_set(second, received=101, spo2=70).readings[0].reading_id


@pytest.mark.parametrize(("observed", "verdict"), [(40, Verdict.UNCHANGED), (39.999, Verdict.OVERTAKEN)])
def test_within_a_minute_a_value_takes_its_place(observed, verdict):
    bedside = Bedside()
    bedside.take(a_set(100, spo2=97))

    assert bedside.take(a_set(observed, received=101, spo2=95)).verdicts == (verdict,)


def test_an_overtaken_value_inside_its_limits_is_stored_without_a_word():
    bedside = Bedside()
    bedside.take(a_set(1000, spo2=97))

    assert bedside.take(a_set(0, received=1000, spo2=97)).alerts == ()


def test_a_late_finding_is_said_once_in_a_quarter_of_an_hour_of_its_own_time():
    bedside = Bedside()
    bedside.take(a_set(7200, spo2=97))

    told = [
        when
        for when in (0, 1, 15 * MIN - 0.001, 15 * MIN, 15 * MIN + 1, 30 * MIN, 20 * MIN)
        if bedside.take(a_set(when, received=7200, spo2=70)).alerts
    ]

    assert told == [0, 15 * MIN, 30 * MIN]


def test_each_limit_has_its_own_late_finding():
    bedside = Bedside()
    bedside.take(a_set(7200, heart_rate=80, spo2=97))

    evaluation = bedside.take(a_set(0, received=7200, heart_rate=140, spo2=70))
    again = bedside.take(a_set(1, received=7200, heart_rate=30))

    assert [alert.rule_id for alert in (*evaluation.alerts, *again.alerts)] == [
        "late-finding/heart-rate-high",
        "late-finding/spo2-low",
        "late-finding/heart-rate-low",
    ]


def test_a_fall_that_comes_late_is_found_as_well():
    bedside = Bedside()
    bedside.take_all([a_spot_check(0, gcs=15), a_spot_check(7200, gcs=15)])

    evaluation = bedside.take(a_spot_check(3600, received=7200, gcs=12))

    assert [alert.rule_id for alert in evaluation.alerts] == ["late-finding/gcs-fall"]


def test_a_backlog_pages_for_what_is_still_true_at_its_end():
    backlog = [a_set(second, received=600, spo2=90) for second in range(0, 300, 10)]

    bedside = Bedside().take_all(backlog)

    assert [(alert.phase, alert.flags) for alert in bedside.alerts] == [(Phase.START, (Flag.LATE,))]
    assert list(bedside.open) == ["spo2-low"]


def test_the_loss_of_a_signal_overtakes_nothing():
    bedside = Bedside()
    bedside.take(a_set(0, spo2=97))
    bedside.take_all(a_set(second, spo2=0) for second in range(10, 300, 10))

    evaluation = bedside.take(a_set(5, received=301, spo2=70))

    assert evaluation.verdicts == (Verdict.RAISED,)
    assert list(bedside.open)[-1] == "spo2-low"


def test_a_loss_later_than_a_pending_value_starts_its_alarm_whichever_came_first():
    bedside = Bedside()
    bedside.take_all([a_set(0, spo2=97), a_set(20, spo2=0)])

    bedside.take(a_set(10, received=21, spo2=90))

    assert list(bedside.open) == ["spo2-low"]


def test_a_loss_that_comes_late_tells_of_the_value_it_had_ended_the_wait_for():
    bedside = Bedside().take_all([a_set(0, spo2=90), a_set(10, spo2=97), a_set(40, spo2=97)])

    evaluation = bedside.take(a_set(5, received=41, spo2=0))

    (alert,) = evaluation.alerts
    assert (alert.phase, alert.rule_id, alert.value) == (Phase.TPOINT, "late-finding/spo2-low", 90)
    assert alert.evidence == (a_set(0, spo2=90).readings[0].reading_id,)
    assert alert.observed_at == at(0)


def test_an_alarm_that_a_late_loss_starts_names_the_value_that_was_beyond_and_not_the_newest():
    bedside = Bedside().take_all([a_set(0, spo2=90), a_set(10, spo2=97)])

    evaluation = bedside.take(a_set(5, received=11, spo2=0))

    (alert,) = evaluation.alerts
    assert (alert.phase, alert.value, alert.onset_at) == (Phase.START, 90, at(0))
    assert alert.evidence == (a_set(0, spo2=90).readings[0].reading_id,)


def test_an_overtaken_loss_is_no_news():
    bedside = Bedside()
    bedside.take_all([a_set(0, spo2=90), a_set(100, spo2=97)])

    evaluation = bedside.take(a_set(10, received=101, spo2=0))

    assert (evaluation.verdicts, evaluation.alerts) == ((Verdict.ABSENT,), ())


def test_a_page_that_a_late_value_unsays_ends_as_overtaken():
    bedside = Bedside().take_all([a_set(0, spo2=90), a_set(16, spo2=90)])
    assert bedside.open == {"spo2-low": (AlarmState.ACTIVE, MEDIUM)}

    evaluation = bedside.take(a_set(8, received=17, spo2=97))

    (alert,) = evaluation.alerts
    assert (alert.phase, alert.reason) == (Phase.END, Reason.OVERTAKEN)
    assert evaluation.verdicts == (Verdict.ENDED,)
    assert alert.title.endswith("SpO2 withdrawn, a late reading corrected the picture")
    assert bedside.open == {}


def test_an_alarm_that_stood_rightly_ends_as_cleared_though_the_last_proof_came_late():
    bedside = Bedside().take_all([a_set(0, spo2=70), a_set(40, spo2=97)])

    bedside.take(a_set(5, received=41, spo2=97))

    assert bedside.alerts[-1].reason is Reason.CLEARED


def a_latching_bedside():
    limit = a_limit(
        a_tier(92, on_delay=15),
        sign=VitalSign.SPO2,
        side=Side.LOW,
        is_latching=True,
        clear_time=at(30) - at(0),
    )
    return Bedside(a_protocol(limit))


def test_a_late_proof_of_clearing_does_not_let_go_of_a_latched_alarm():
    bedside = a_latching_bedside().take_all([a_set(0, spo2=90), a_set(15, spo2=90), a_set(50, spo2=97)])

    evaluation = bedside.take(a_set(18, received=51, spo2=97))

    assert evaluation.verdicts == (Verdict.LATCHED,)
    assert bedside.open == {"spo2-low": (AlarmState.LATCHED, MEDIUM)}


def test_a_latching_alarm_that_a_late_value_unsays_is_gone():
    bedside = a_latching_bedside().take_all([a_set(0, spo2=90), a_set(15, spo2=90)])

    evaluation = bedside.take(a_set(8, received=16, spo2=97))

    assert evaluation.alerts[-1].reason is Reason.OVERTAKEN
    assert bedside.open == {}


def test_a_value_that_comes_late_and_is_over_already_is_told_as_a_late_finding():
    bedside = Bedside()
    bedside.take(a_spot_check(10, systolic_pressure=120))

    evaluation = bedside.take(a_spot_check(0, received=11, systolic_pressure=70))
    again = bedside.take(a_spot_check(1, received=12, systolic_pressure=71))

    assert [(alert.phase, alert.rule_id) for alert in evaluation.alerts] == [
        (Phase.TPOINT, "late-finding/systolic-pressure-low")
    ]
    assert again.alerts == ()
    assert bedside.open == {}


def test_a_late_value_that_was_never_held_is_no_finding():
    bedside = Bedside()
    bedside.take(a_set(10, spo2=97))

    assert bedside.take(a_set(0, received=11, spo2=90)).alerts == ()


def test_what_was_paged_already_is_not_found_again():
    bedside = Bedside().take_all(
        [a_spot_check(0, systolic_pressure=70), a_spot_check(20, systolic_pressure=120)]
    )

    evaluation = bedside.take(a_spot_check(10, received=21, systolic_pressure=75))

    assert evaluation.alerts == ()


def test_a_late_violating_value_can_hold_a_delay():
    bedside = Bedside().take_all([a_set(20, spo2=90)])

    evaluation = bedside.take(a_set(0, received=21, spo2=90))

    assert evaluation.verdicts == (Verdict.RAISED,)
    assert bedside.alerts[0].onset_at == at(0)


def test_the_same_reading_again_is_known_within_the_window():
    bedside = Bedside().take_all([a_set(0, spo2=90), a_set(1, spo2=97)])

    evaluation = bedside.take(a_set(0, received=2, spo2=90))

    assert evaluation.verdicts == (Verdict.UNCHANGED,)
    assert len(bedside.chart.tracks["spo2"].window) == 2


def test_the_same_loss_again_is_known_within_the_window():
    bedside = Bedside().take_all([a_set(0, spo2=97), a_set(1, spo2=0)])

    bedside.take(a_set(1, received=2, spo2=0))

    assert len(bedside.chart.tracks["spo2"].window) == 2


def test_the_window_holds_a_minute_and_the_base_what_was_before():
    bedside = Bedside().streams([90] * 100, sign="spo2")

    track = bedside.chart.tracks["spo2"]
    assert len(track.window) == 61
    assert track.base["spo2-low"].tier == 0
    assert track.base_device == "monitor"


def test_a_spot_check_of_the_same_moment_spares_a_streamed_value_the_delay():
    bedside = Bedside()
    bedside.take(a_set(0, spo2=90))

    bedside.take(a_spot_check(0, spo2=90))

    assert list(bedside.open) == ["spo2-low"]


@pytest.mark.parametrize("values", [(90, 97), (97, 90)], ids=["worse first", "worse last"])
def test_two_devices_at_one_moment_are_no_conflict_and_the_worse_counts(values):
    bedside = Bedside()

    bedside.take(a_spot_check(0, spo2=values[0], device="one"))
    bedside.take(a_spot_check(0, spo2=values[1], device="two"))

    assert list(bedside.open) == ["spo2-low"]
    assert Flag.CONFLICT not in {flag for alert in bedside.alerts for flag in alert.flags}


def test_of_a_falls_past_no_more_than_200_values_are_kept():
    bedside = Bedside().take_all(a_spot_check(60 * n, gcs=15) for n in range(202))

    assert len(bedside.chart.tracks["gcs"].history) == 200
