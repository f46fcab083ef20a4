"""One limit, one patient: edges, deadband, delays, tiers, latching, and what people do about the alarm."""

from uuid import UUID

import pytest

from domain.alarms import AlarmState, Priority
from domain.alerts import Flag, Phase, Reason
from domain.commands import AcknowledgeAlarm, CloseAlarm
from domain.evaluation import evaluate
from domain.limit_alarms import Verdict
from domain.observations import Validity
from domain.protocol import Side
from domain.vital_signs import VitalSign
from tests.builders import Bedside, a_limit, a_protocol, a_reading, a_set, a_spot_check, a_tier, an_order, at

HIGH, MEDIUM, LOW = Priority.HIGH, Priority.MEDIUM, Priority.LOW
ACTIVE, ACKNOWLEDGED, LATCHED = AlarmState.ACTIVE, AlarmState.ACKNOWLEDGED, AlarmState.LATCHED
RULE = "heart_rate-high"


def a_bedside(*tiers, **rest):
    return Bedside(a_protocol(a_limit(*tiers, **rest)))


def rates(bedside, *values, begin=0, every=1):
    return bedside.streams(values, sign="heart_rate", begin=begin, every=every)


@pytest.mark.parametrize(
    ("side", "inclusive", "value", "raised"),
    [
        pytest.param(Side.HIGH, False, 129, False, id="inside a high limit"),
        pytest.param(Side.HIGH, False, 130, False, id="on a high limit"),
        pytest.param(Side.HIGH, False, 131, True, id="beyond a high limit"),
        pytest.param(Side.HIGH, True, 129, False, id="inside an inclusive high limit"),
        pytest.param(Side.HIGH, True, 130, True, id="on an inclusive high limit"),
        pytest.param(Side.HIGH, True, 131, True, id="beyond an inclusive high limit"),
        pytest.param(Side.LOW, False, 131, False, id="inside a low limit"),
        pytest.param(Side.LOW, False, 130, False, id="on a low limit"),
        pytest.param(Side.LOW, False, 129, True, id="beyond a low limit"),
        pytest.param(Side.LOW, True, 131, False, id="inside an inclusive low limit"),
        pytest.param(Side.LOW, True, 130, True, id="on an inclusive low limit"),
        pytest.param(Side.LOW, True, 129, True, id="beyond an inclusive low limit"),
    ],
)
def test_an_alarm_is_raised_beyond_the_limit_and_on_it_only_if_inclusive(side, inclusive, value, raised):
    bedside = a_bedside(a_tier(130, inclusive=inclusive), side=side)

    evaluation = bedside.take(a_set(0, heart_rate=value))

    assert evaluation.verdicts == (Verdict.RAISED if raised else Verdict.UNCHANGED,)
    assert bool(evaluation.alerts) is raised


@pytest.mark.parametrize(
    ("side", "value", "ended"),
    [
        pytest.param(Side.HIGH, 130, False, id="on the limit"),
        pytest.param(Side.HIGH, 126, False, id="inside, within the deadband"),
        pytest.param(Side.HIGH, 125, True, id="inside by exactly the deadband"),
        pytest.param(Side.HIGH, 124, True, id="further inside"),
        pytest.param(Side.LOW, 134, False, id="low: within the deadband"),
        pytest.param(Side.LOW, 135, True, id="low: inside by exactly the deadband"),
    ],
)
def test_an_alarm_ends_inside_by_the_whole_deadband(side, value, ended):
    bedside = a_bedside(a_tier(130), side=side, deadband=5)
    bedside.take(a_set(0, heart_rate=140 if side is Side.HIGH else 120))

    evaluation = bedside.take(a_set(1, heart_rate=value))

    assert evaluation.verdicts == (Verdict.ENDED if ended else Verdict.UNCHANGED,)
    assert (bedside.open == {}) is ended


def test_without_a_deadband_a_value_on_an_inclusive_limit_does_not_clear():
    bedside = a_bedside(a_tier(130, inclusive=True))

    rates(bedside, 131, 130, 129)

    assert bedside.said_of(RULE) == [(0, "start"), (2, "end")]


def test_a_deadband_is_exact_in_tenths():
    limit = a_limit(a_tier(39.0), sign=VitalSign.BODY_TEMPERATURE, deadband=0.3)
    bedside = Bedside(a_protocol(limit))

    bedside.streams([39.1, 38.8, 38.7], sign="body_temperature")

    assert bedside.said_of("body_temperature-high") == [(0, "start"), (2, "end")]


@pytest.mark.parametrize(
    ("last", "ended"), [(29, False), (30, True), (31, True)], ids=["just short", "exactly", "longer"]
)
def test_an_alarm_ends_only_after_the_whole_clear_time(last, ended):
    bedside = a_bedside(a_tier(130), clear_time=at(30) - at(0))

    rates(bedside, 140)
    rates(bedside, 100, 100, begin=10, every=last)

    assert (bedside.open == {}) is ended


@pytest.mark.parametrize("between", [140, 128, 0], ids=["violating", "inside the deadband", "no value"])
def test_whatever_is_not_cleared_restarts_the_clear_time(between):
    bedside = a_bedside(a_tier(130), clear_time=at(30) - at(0), deadband=5)

    rates(bedside, 140)
    rates(bedside, 100, between, 100, 100, begin=10, every=20)

    assert bedside.open == {RULE: (ACTIVE, MEDIUM)}
    bedside.take(a_set(80, heart_rate=100))
    assert bedside.open == {}


@pytest.mark.parametrize(
    ("last", "raised"), [(14.999, False), (15, True), (60, True)], ids=["just short", "exactly", "longer"]
)
def test_an_on_delay_is_held_by_a_later_violating_reading(last, raised):
    bedside = a_bedside(a_tier(130, on_delay=15))

    first = bedside.take(a_set(0, heart_rate=140))
    second = bedside.take(a_set(last, heart_rate=140))

    assert first.verdicts == (Verdict.PENDING,)
    assert second.verdicts == (Verdict.RAISED if raised else Verdict.PENDING,)


def test_an_on_delay_is_never_held_by_the_clock():
    bedside = a_bedside(a_tier(130, on_delay=15))
    bedside.take(a_set(0, heart_rate=140))

    bedside.tick(30)
    bedside.take(a_spot_check(40, body_weight=70))

    assert bedside.alerts == []


@pytest.mark.parametrize("between", [100, 130, 128], ids=["inside", "on the limit", "inside the deadband"])
def test_any_value_that_does_not_violate_ends_pending(between):
    bedside = a_bedside(a_tier(130, on_delay=15), deadband=5)

    rates(bedside, 140, between, 140, 140, every=10)

    assert [evaluation.verdicts[0] for evaluation in bedside.evaluations] == [
        Verdict.PENDING,
        Verdict.LAPSED,
        Verdict.PENDING,
        Verdict.PENDING,
    ]
    assert bedside.alerts == []


def test_a_spot_check_has_no_delay_and_no_clear_time():
    bedside = a_bedside(a_tier(130, on_delay=15), clear_time=at(30) - at(0))

    bedside.take(a_spot_check(0, heart_rate=140))
    bedside.take(a_spot_check(300, heart_rate=100))

    assert bedside.said_of(RULE) == [(0, "start"), (300, "end")]


def test_a_spot_check_confirms_what_a_monitor_has_seen():
    bedside = a_bedside(a_tier(130, on_delay=15))
    bedside.take(a_set(0, heart_rate=140))

    bedside.take(a_spot_check(1, heart_rate=140))

    assert bedside.open == {RULE: (ACTIVE, MEDIUM)}


def test_a_high_value_skips_the_delay():
    bedside = a_bedside(a_tier(130, on_delay=15), a_tier(160, HIGH))

    evaluation = bedside.take(a_set(0, heart_rate=161))

    assert [(alert.phase, alert.priority) for alert in evaluation.alerts] == [(Phase.START, HIGH)]


def test_a_priority_rises_at_once_and_falls_one_by_one():
    bedside = a_bedside(
        a_tier(110, LOW), a_tier(130), a_tier(160, HIGH), deadband=5, clear_time=at(30) - at(0)
    )

    rates(bedside, 115, 165)  # rises past a tier at once
    rates(bedside, 150, 150, begin=10, every=30)  # HIGH cleared for 30 s
    rates(bedside, 120, 120, begin=60, every=30)  # MEDIUM cleared for 30 s
    rates(bedside, 100, 100, begin=120, every=30)  # all cleared

    told = [
        (when, phase, alert.priority, alert.previous_priority)
        for (when, phase, _), alert in zip(bedside.said, bedside.alerts, strict=True)
    ]
    assert told == [
        (0, "start", LOW, None),
        (1, "escalate", HIGH, LOW),
        (40, "deescalate", MEDIUM, HIGH),
        (90, "deescalate", LOW, MEDIUM),
        (150, "end", LOW, None),
    ]


def test_a_tier_that_is_not_cleared_long_enough_stands():
    bedside = a_bedside(a_tier(130), a_tier(160, HIGH), deadband=5, clear_time=at(30) - at(0))

    rates(bedside, 165)
    rates(bedside, 150, 156, 150, 150, begin=10, every=20)  # 156 is inside, but not by the deadband

    assert bedside.open == {RULE: (ACTIVE, HIGH)}


def test_several_tiers_may_fall_with_one_reading_and_end_the_alarm():
    bedside = a_bedside(a_tier(130), a_tier(160, HIGH), deadband=5)

    rates(bedside, 165, 100)

    assert bedside.said_of(RULE) == [(0, "start"), (1, "end")]


@pytest.mark.parametrize("value", [0, None, 8388607], ids=["zero", "none", "sentinel"])
def test_a_signal_lost_while_pending_starts_the_alarm_at_once_and_says_so(value):
    bedside = a_bedside(a_tier(130, on_delay=15))
    bedside.take(a_set(0, heart_rate=140))

    evaluation = bedside.take(a_set(1, heart_rate=value))

    (alert,) = evaluation.alerts
    assert evaluation.verdicts == (Verdict.ABSENT,)
    assert (alert.phase, alert.reason, alert.value) == (Phase.START, Reason.SIGNAL_LOST, 140)
    assert alert.flags == (Flag.SIGNAL_LOST,)
    assert alert.title.endswith("heart rate 140 /min, limit above 130 /min, then the signal was lost")


@pytest.mark.parametrize("validity", [Validity.INVALID, Validity.CALIBRATING])
def test_an_unusable_value_is_no_value_and_raises_nothing_by_itself(validity):
    bedside = a_bedside(a_tier(130))

    evaluation = bedside.take(a_set(0, [a_reading(VitalSign.HEART_RATE, 180, validity=validity)]))

    assert evaluation.verdicts == (Verdict.UNUSABLE,)
    assert evaluation.alerts == ()


def test_the_most_severe_pending_tier_starts_when_the_signal_is_lost():
    bedside = a_bedside(a_tier(130, on_delay=15), a_tier(150, HIGH, on_delay=15))

    rates(bedside, 155, 0)

    assert bedside.open == {RULE: (ACTIVE, HIGH)}


def test_a_lost_signal_neither_raises_nor_ends_what_stands():
    bedside = a_bedside(a_tier(130), a_tier(150, HIGH, on_delay=15))

    rates(bedside, 140, 0, 0, 0)

    assert bedside.said_of(RULE) == [(0, "start")]


def test_the_loss_of_another_devices_signal_is_not_the_loss_of_this_one():
    bedside = a_bedside(a_tier(130, on_delay=15))
    bedside.take(a_set(0, heart_rate=140, device="monitor"))

    bedside.take(a_set(1, heart_rate=0, device="spare"))

    assert bedside.alerts == []


def test_a_latching_alarm_stays_announced_until_a_person_lets_it_go():
    bedside = a_bedside(a_tier(130), is_latching=True)

    rates(bedside, 140, 100, 100)
    bedside.acknowledges(10, RULE)

    assert [(alert.phase, alert.state) for alert in bedside.alerts] == [
        (Phase.START, ACTIVE),
        (Phase.UPDATE, LATCHED),
        (Phase.RESET, AlarmState.INACTIVE),
    ]
    assert [evaluation.verdicts for evaluation in bedside.evaluations[1:3]] == [
        (Verdict.LATCHED,),
        (Verdict.UNCHANGED,),
    ]
    assert bedside.open == {}


def test_a_latched_alarm_whose_condition_returns_is_active_again():
    bedside = a_bedside(a_tier(130), is_latching=True)

    rates(bedside, 140, 100, 145)

    assert bedside.open == {RULE: (ACTIVE, MEDIUM)}
    assert (bedside.alerts[-1].phase, bedside.alerts[-1].reason) == (Phase.UPDATE, Reason.LIMIT_VIOLATED)
    assert bedside.alerts[-1].episode_id == bedside.alerts[0].episode_id


def test_a_pending_violation_keeps_a_latched_alarm_latched():
    bedside = a_bedside(a_tier(130, on_delay=10), is_latching=True)
    rates(bedside, 140, 140, 100, every=10)

    rates(bedside, 140, begin=30)

    assert bedside.open == {RULE: (LATCHED, MEDIUM)}


def test_an_acknowledged_latching_alarm_ends_with_its_condition():
    bedside = a_bedside(a_tier(130), is_latching=True)
    rates(bedside, 140)
    bedside.acknowledges(1, RULE)

    rates(bedside, 100, begin=2)

    assert bedside.said_of(RULE) == [(0, "start"), (1, "update"), (2, "end")]


def test_an_acknowledged_alarm_says_nothing_while_its_condition_goes_on():
    bedside = a_bedside(a_tier(130))
    rates(bedside, 140)
    bedside.acknowledges(1, RULE)

    rates(bedside, 150, 145, begin=2)

    assert bedside.open == {RULE: (ACKNOWLEDGED, MEDIUM)}
    assert bedside.said_of(RULE) == [(0, "start"), (1, "update")]


def test_an_acknowledgement_of_the_lower_priority_does_not_hide_the_higher():
    bedside = a_bedside(a_tier(130), a_tier(160, HIGH))
    rates(bedside, 140)
    bedside.acknowledges(1, RULE)

    rates(bedside, 165, begin=2)

    assert bedside.open == {RULE: (ACTIVE, HIGH)}
    assert bedside.alerts[-1].phase is Phase.ESCALATE


def test_an_acknowledged_alarm_that_falls_in_priority_stays_acknowledged():
    bedside = a_bedside(a_tier(130), a_tier(160, HIGH))
    rates(bedside, 165)
    bedside.acknowledges(1, RULE)

    rates(bedside, 140, begin=2)

    assert bedside.open == {RULE: (ACKNOWLEDGED, MEDIUM)}
    assert bedside.alerts[-1].phase is Phase.DEESCALATE


def test_a_second_acknowledgement_says_nothing_new():
    bedside = a_bedside(a_tier(130))
    rates(bedside, 140)
    bedside.acknowledges(1, RULE)

    evaluation = bedside.acknowledges(2, RULE)

    assert (evaluation.alerts, evaluation.refusal) == ((), None)


def test_an_alarm_closed_while_the_condition_goes_on_starts_again_as_another_episode():
    bedside = a_bedside(a_tier(130))
    rates(bedside, 140)

    closed = bedside.closes(1, RULE)
    rates(bedside, 141, begin=2)

    assert closed.ended[0].state is AlarmState.INACTIVE
    assert bedside.said_of(RULE) == [(0, "start"), (1, "end"), (2, "start")]
    first, _, again = bedside.alerts
    assert first.episode_id != again.episode_id
    assert first.alarm_id == again.alarm_id


def test_a_closed_alarm_does_not_start_again_while_the_value_is_inside():
    bedside = a_bedside(a_tier(130), deadband=5)
    rates(bedside, 140)
    bedside.closes(1, RULE)

    rates(bedside, 128, 130, 131, begin=2)

    assert bedside.said_of(RULE) == [(0, "start"), (1, "end"), (4, "start")]
    assert bedside.evaluations[2].verdicts == (Verdict.UNCHANGED,)


def test_closing_a_latched_alarm_resets_it():
    bedside = a_bedside(a_tier(130), is_latching=True)
    rates(bedside, 140, 100)

    evaluation = bedside.closes(5, RULE)

    assert [(alert.phase, alert.reason) for alert in evaluation.alerts] == [(Phase.RESET, Reason.CLOSED)]


def test_an_alert_names_rule_limit_layer_protocol_and_the_readings_that_led_to_it():
    protocol = a_protocol(a_limit(a_tier(130, on_delay=2, inclusive=True), layer="site", source="a paper"))
    bedside = Bedside(protocol).admitted(-10)
    sets = [a_set(second, heart_rate=140 + second) for second in range(3)]

    bedside.take_all(sets)

    (alert,) = bedside.alerts
    assert (alert.rule_id, alert.protocol_id, alert.protocol_hash) == (RULE, "tested", protocol.digest)
    assert alert.breach is not None
    assert (alert.breach.side, alert.breach.threshold, alert.breach.is_inclusive) == ("high", 130, True)
    assert (alert.breach.layer, alert.breach.source) == ("site", "a paper")
    assert alert.evidence == tuple(each.readings[0].reading_id for each in sets)
    assert (alert.onset_at, alert.observed_at, alert.value) == (at(0), at(2), 142)
    assert (alert.ward, alert.bed, alert.device_id) == ("7b", "12", "monitor")
    assert alert.correlation_id == sets[-1].correlation_id
    assert alert.ended_at is None


def test_the_end_says_when_and_with_which_value():
    bedside = a_bedside(a_tier(130))

    rates(bedside, 140, 99)

    start, end = bedside.alerts
    assert (end.ended_at, end.value, end.state) == (at(1), 99, AlarmState.INACTIVE)
    assert end.episode_id == start.episode_id
    assert end.breach is None


def test_the_evidence_holds_the_last_five_violating_readings():
    bedside = a_bedside(a_tier(130), deadband=5)
    sets = [a_set(second, heart_rate=140 if second != 7 else 130) for second in range(9)]

    bedside.take_all(sets)

    expected = [sets[second].readings[0].reading_id for second in (3, 4, 5, 6, 8)]
    assert list(bedside.alarm(RULE).evidence) == expected
    assert (bedside.alarm(RULE).value, bedside.alarm(RULE).started_ms) == (140, int(at(0).timestamp() * 1000))


def test_of_two_values_for_one_moment_the_worse_one_counts():
    first = a_reading(VitalSign.HEART_RATE, 100, key=1)
    other = a_reading(VitalSign.HEART_RATE, 150, key=2)
    bedside = a_bedside(a_tier(130))

    bedside.take(a_set(0, [first]))
    evaluation = bedside.take(a_set(0, [other], received=1))

    assert evaluation.alerts[0].flags == (Flag.CONFLICT,)
    assert bedside.open == {RULE: (ACTIVE, MEDIUM)}


def test_of_two_values_for_one_moment_the_worse_one_counts_even_when_it_came_first():
    first = a_reading(VitalSign.SPO2, 85, key=1)
    other = a_reading(VitalSign.SPO2, 99, key=2)
    bedside = Bedside(a_protocol(a_limit(a_tier(92), sign=VitalSign.SPO2, side=Side.LOW)))

    bedside.take(a_set(0, [first]))
    bedside.take(a_set(0, [other]))

    assert bedside.open == {"spo2-low": (ACTIVE, MEDIUM)}


def two_sites(cuff, line, **rest):
    return [
        a_reading(VitalSign.SYSTOLIC_PRESSURE, cuff, site="cuff"),
        a_reading(VitalSign.SYSTOLIC_PRESSURE, line, site="arterial"),
    ]


@pytest.mark.parametrize(
    ("cuff", "line", "site", "value", "flags"),
    [(120, 40, "arterial", 40, (Flag.SUSPECT,)), (70, 120, "cuff", 70, ()), (230, 120, "cuff", 230, ())],
)
def test_of_two_sites_in_one_set_the_worse_is_judged_and_named(cuff, line, site, value, flags):
    bedside = Bedside()

    evaluation = bedside.take(a_set(0, two_sites(cuff, line)))

    (alert,) = evaluation.alerts
    assert (alert.site, alert.value, alert.flags) == (site, value, flags)
    assert evaluation.verdicts == (Verdict.RAISED, Verdict.RAISED)


def test_several_signs_from_two_sites_are_told_in_the_order_of_the_set():
    mean = [a_reading(VitalSign.MEAN_PRESSURE, 50, site=site) for site in ("cuff", "arterial")]
    rest = [a_reading(VitalSign.BODY_WEIGHT, 70, site="bed"), a_reading(VitalSign.BODY_WEIGHT, 71)]
    bedside = Bedside()

    evaluation = bedside.take(a_set(0, [*mean, *two_sites(70, 70), a_reading(VitalSign.SPO2, 97), *rest]))

    assert [alert.rule_id for alert in evaluation.alerts] == ["mean-pressure-low", "systolic-pressure-low"]
    assert evaluation.verdicts == (
        "raised",
        "raised",
        "raised",
        "raised",
        "unchanged",
        "stored_only",
        "stored_only",
    )


def test_a_value_of_the_same_moment_inside_the_deadband_keeps_the_alarm_that_another_had_ended():
    bedside = a_bedside(a_tier(130), deadband=5)
    rates(bedside, 140, 120)

    bedside.take(a_set(1, heart_rate=128, device="spare"))

    assert bedside.open == {RULE: (ACTIVE, MEDIUM)}
    assert (bedside.alerts[-1].onset_at, bedside.alerts[-1].value) == (at(0), 140)


def test_a_conflict_that_the_store_knows_of_is_said_and_stored():
    bedside = a_bedside(a_tier(130))

    evaluation = bedside.take(a_set(0, heart_rate=150), is_conflict=True)

    assert evaluation.flags == (Flag.CONFLICT,)
    assert evaluation.alerts[0].flags == (Flag.CONFLICT,)
    assert evaluation.alerts[0].title.endswith("devices disagree")


@pytest.mark.parametrize(
    ("validity", "value", "flags"),
    [
        (Validity.VALID, 140, ()),
        (Validity.QUESTIONABLE, 140, (Flag.QUESTIONABLE,)),
        (Validity.VALID, 221, (Flag.SUSPECT,)),
        (Validity.QUESTIONABLE, 221, (Flag.QUESTIONABLE, Flag.SUSPECT)),
    ],
)
def test_doubt_is_a_word_on_the_page_and_nothing_else(validity, value, flags):
    bedside = a_bedside(a_tier(130))

    bedside.take(a_set(0, [a_reading(VitalSign.HEART_RATE, value, validity=validity)]))

    assert bedside.alerts[0].flags == flags
    assert bedside.open == {RULE: (ACTIVE, MEDIUM)}


def test_a_sign_without_limit_and_a_sign_that_is_only_stored_say_so():
    bedside = a_bedside(a_tier(130))

    evaluation = bedside.take(a_set(0, spo2=50, body_weight=70))

    assert evaluation.verdicts == (Verdict.NO_LIMIT, Verdict.STORED_ONLY)
    assert bedside.alerts == []


def test_the_loudest_verdict_of_several_limits_is_the_readings():
    low = a_limit(a_tier(50), side=Side.LOW)
    high = a_limit(a_tier(130))
    bedside = Bedside(a_protocol(low, high))

    evaluations = [bedside.take(a_set(n, heart_rate=value)) for n, value in enumerate([140, 40, 80])]

    assert [evaluation.verdicts[0] for evaluation in evaluations] == [
        Verdict.RAISED,
        Verdict.RAISED,  # and the high one ended
        Verdict.ENDED,
    ]


@pytest.mark.parametrize("order", [AcknowledgeAlarm, CloseAlarm])
def test_an_order_about_an_unknown_alarm_is_refused(order):
    bedside = a_bedside()

    evaluation = bedside.take(an_order(order, 0, alarm_id=UUID(int=9)))

    assert evaluation.refusal == "no_such_alarm"
    assert evaluation.alerts == ()


def test_without_a_word_of_the_store_there_is_no_conflict():
    evaluation = evaluate(Bedside().chart, a_set(0, spo2=70), Bedside().protocol)

    assert evaluation.flags == ()
    assert evaluation.alerts[0].flags == ()


def test_a_rise_and_a_fall_of_priority_are_the_readings_verdicts():
    bedside = a_bedside(a_tier(130), a_tier(160, HIGH))

    rates(bedside, 140, 165, 140)

    assert [evaluation.verdicts for evaluation in bedside.evaluations] == [
        (Verdict.RAISED,),
        (Verdict.ESCALATED,),
        (Verdict.DEESCALATED,),
    ]


def test_an_alarm_began_with_the_mildest_violation_and_not_with_the_one_that_paged():
    bedside = a_bedside(a_tier(130, on_delay=60), a_tier(160, HIGH))

    rates(bedside, 140, 165, every=5)

    assert (bedside.alerts[0].onset_at, bedside.alerts[0].observed_at) == (at(0), at(5))
