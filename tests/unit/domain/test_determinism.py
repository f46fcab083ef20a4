"""The same history gives the same alerts, however it is cut, stored, repeated or shuffled."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.alerts import Phase, Reason
from domain.chart_form import chart_from_form, chart_to_form
from domain.evaluation import evaluate
from domain.observations import Tick
from domain.times import from_ms
from tests.builders import Bedside, a_limit, a_protocol, a_set, a_tier, at, shipped
from tests.strategies import histories, reshuffled

ROOT = Path(__file__).parents[3]
OPENING = (Phase.START,)
CLOSING = (Phase.END, Phase.RESET)


def items_of(history):
    return [Tick(at=at(item)) if isinstance(item, (int, float)) else item for item in history]


def stored_and_read(chart):
    form = orjson.loads(orjson.dumps(chart_to_form(chart)))
    return chart_from_form(
        form, patient_id=chart.patient_id, mode=chart.mode, lane=chart.lane, chart_seq=chart.chart_seq
    )


def replayed(history, *, through_the_store=False, protocol=None):
    bedside = Bedside(protocol)
    for item in items_of(history):
        bedside.take(item)
        if through_the_store:
            bedside.chart = stored_and_read(bedside.chart)
    return bedside


@given(histories())
def test_the_same_input_gives_the_same_evaluation(history):
    one, other = replayed(history), replayed(history)

    assert one.evaluations == other.evaluations
    assert one.chart == other.chart


@given(histories())
def test_a_chart_that_was_stored_after_every_input_says_the_same(history):
    kept = replayed(history)
    stored = replayed(history, through_the_store=True)

    assert stored.alerts == kept.alerts
    assert chart_to_form(stored.chart) == chart_to_form(kept.chart)


@given(histories(), st.data())
def test_a_worker_that_dies_anywhere_is_followed_by_one_that_says_the_same(history, data):
    cut = data.draw(st.integers(0, len(history)))
    before = replayed(history[:cut])

    successor = Bedside()
    successor.chart = stored_and_read(before.chart)
    successor.take_all(items_of(history[cut:]))

    assert before.alerts + successor.alerts == replayed(history).alerts


@given(histories())
def test_every_input_raises_the_charts_number_by_one(history):
    bedside = replayed(history)

    assert [evaluation.chart.chart_seq for evaluation in bedside.evaluations] == list(
        range(1, len(history) + 1)
    )
    for evaluation in bedside.evaluations:
        assert {alert.chart_seq for alert in evaluation.alerts} <= {evaluation.chart.chart_seq}


@given(histories())
def test_no_two_alerts_of_a_history_share_an_id(history):
    alert_ids = [alert.alert_id for alert in replayed(history).alerts]

    assert len(set(alert_ids)) == len(alert_ids)


@given(histories())
def test_an_alarm_is_raised_and_ended_in_turn(history):
    open_rules = set()
    for alert in replayed(history).alerts:
        if alert.phase is Phase.START:
            assert alert.rule_id not in open_rules
            open_rules.add(alert.rule_id)
        elif alert.phase is not Phase.TPOINT:
            assert alert.rule_id in open_rules
        if alert.phase in CLOSING:
            open_rules.remove(alert.rule_id)


@given(histories())
def test_the_chart_holds_exactly_the_alarms_that_were_announced_and_not_ended(history):
    bedside = replayed(history)

    standing = Counter()
    for alert in bedside.alerts:
        standing[alert.rule_id] += (alert.phase in OPENING) - (alert.phase in CLOSING)
    assert {rule for rule, count in standing.items() if count} == set(bedside.chart.alarms)
    ended = sum(len(evaluation.ended) for evaluation in bedside.evaluations)
    assert ended == sum(alert.phase in CLOSING for alert in bedside.alerts)


@given(histories())
def test_every_title_fits_and_gives_away_no_more_than_four_characters_of_the_patient(history):
    for alert in replayed(history).alerts:
        assert 0 < len(alert.title) <= 130
        assert "-00421" not in alert.title


@given(histories())
def test_every_reading_has_a_verdict(history):
    for item, evaluation in zip(items_of(history), replayed(history).evaluations, strict=True):
        assert len(evaluation.verdicts) == len(getattr(item, "readings", ()))


@given(histories(), histories())
def test_the_clock_never_runs_backwards_even_where_the_log_does(history, more):
    bedside = replayed(history + more)

    clocks = [evaluation.chart.clock_ms for evaluation in bedside.evaluations]
    assert clocks == sorted(clocks)


@given(histories())
def test_after_a_tick_nothing_is_due_in_the_past(history):
    for item, evaluation in zip(items_of(history), replayed(history).evaluations, strict=True):
        due_ms = evaluation.chart.due_ms
        assert not isinstance(item, Tick) or due_ms is None or due_ms >= evaluation.chart.clock_ms


@given(histories(size=12), st.sampled_from([0, 1, 2]))
def test_ticks_while_nothing_is_due_say_nothing(history, seconds):
    bedside = replayed(history)
    due_ms, clock_ms = bedside.chart.due_ms, bedside.chart.clock_ms
    tick_ms = clock_ms + seconds * 1000
    if due_ms is not None and due_ms <= tick_ms:
        return

    assert evaluate(bedside.chart, Tick(at=from_ms(tick_ms)), shipped()).alerts == ()


@given(histories(size=15), st.data())
def test_a_reading_that_comes_again_at_once_changes_nothing_about_the_alarms(history, data):
    items = items_of(history)
    twice = []
    for item in items:
        repeated = not isinstance(item, Tick) and hasattr(item, "readings") and data.draw(st.booleans())
        twice += [item, item] if repeated else [item]

    once, again = Bedside().take_all(items), Bedside().take_all(twice)

    assert without_clocks(again.open) == without_clocks(once.open)
    assert _told(again) == _told(once)


def without_clocks(alarms):
    return {rule: state for rule, state in alarms.items() if not rule.startswith("clock-")}


def _told(bedside):
    return [
        (alert.phase, alert.rule_id, alert.observed_at)
        for alert in bedside.alerts
        if not alert.rule_id.startswith("clock-")
    ]


@given(
    st.lists(st.sampled_from([120, 129, 131, 140, 0]), min_size=1, max_size=20),
    st.integers(1, 10),
    st.integers(0, 10),
    st.booleans(),
)
def test_nothing_is_raised_before_the_on_delay_unless_the_signal_was_lost(values, delay, deadband, latching):
    limit = a_limit(a_tier(130, on_delay=delay), deadband=deadband, is_latching=latching)
    bedside = Bedside(a_protocol(limit)).streams(values, sign="heart_rate")

    for alert in bedside.alerts:
        if alert.phase is Phase.START and alert.vital_sign and alert.reason is Reason.LIMIT_VIOLATED:
            assert (alert.observed_at - alert.onset_at).total_seconds() >= delay
            held = values[int((alert.onset_at - at(0)).total_seconds()) :][: delay + 1]
            assert all(value > 130 for value in held)


def limit_alarms(bedside):
    return {
        rule: (alarm.state, alarm.priority)
        for rule, alarm in bedside.chart.alarms.items()
        if alarm.vital_sign
    }


def in_log(minute):
    """All of it received after the minute is over, in the order in which it stands."""
    return [each.received(61 + number / 1000) for number, each in enumerate(minute)]


@settings(max_examples=3 * settings.default.max_examples)
@given(reshuffled())
def test_any_order_of_a_minute_ends_in_the_same_open_alarms(minutes):
    ordered, shuffled = (Bedside().take_all(in_log(minute)) for minute in minutes)

    assert limit_alarms(shuffled) == limit_alarms(ordered)
    sign_tracks = [(track.present, track.base) for track in ordered.chart.tracks.values()]
    assert [(track.present, track.base) for track in shuffled.chart.tracks.values()] == sign_tracks


@settings(max_examples=3 * settings.default.max_examples)
@given(reshuffled())
def test_what_any_order_leaves_unsaid_is_told_as_a_late_finding_and_what_it_says_too_much_is_ended(minutes):
    ordered, shuffled = (Bedside().take_all(in_log(minute)) for minute in minutes)

    raised, paged = limits_started(ordered), limits_started(shuffled)
    found = {
        alert.rule_id.removeprefix("late-finding/")
        for alert in shuffled.alerts
        if alert.phase is Phase.TPOINT
    }
    assert raised <= paged | found
    assert (paged - raised).isdisjoint(limit_alarms(shuffled))
    for alert in shuffled.alerts:
        if alert.reason is Reason.OVERTAKEN:
            assert alert.phase is Phase.END


def limits_started(bedside):
    return {alert.rule_id for alert in bedside.alerts if alert.phase is Phase.START and alert.vital_sign}


def test_a_page_given_too_early_ends_with_the_word_overtaken():
    too_early = [
        a_set(0, received=20, spo2=90),
        a_set(16, received=21, spo2=90),
        a_set(8, received=22, spo2=97),
    ]

    bedside = Bedside().take_all(too_early)

    assert [(alert.phase, alert.reason) for alert in bedside.alerts] == [
        (Phase.START, Reason.LIMIT_VIOLATED),
        (Phase.END, Reason.OVERTAKEN),
    ]


A_WORKER = """
from tests.builders import Bedside, a_reading, a_set
from domain.vital_signs import VitalSign
import hashlib

bedside = Bedside()
for second in range(40):
    readings = [
        a_reading(sign, value, site=site, key=second)
        for sign, value in ((VitalSign.MEAN_PRESSURE, 50), (VitalSign.SYSTOLIC_PRESSURE, 70), (VitalSign.SPO2, 70))
        for site in ("cuff", "arterial")
    ]
    zeros = [a_reading(sign, 97 if second < 3 else 0) for sign in (VitalSign.PULSE, VitalSign.HEART_RATE)]
    bedside.take(a_set(second, readings + zeros))
print(hashlib.sha256(repr(bedside.alerts).encode()).hexdigest(), len(bedside.alerts))
"""


def test_another_process_says_the_same_byte_for_byte():
    def said(seed):
        environment = os.environ | {"PYTHONHASHSEED": str(seed)}
        ran = subprocess.run(
            [sys.executable, "-c", A_WORKER],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return ran.stdout

    assert len({said(seed) for seed in (1, 2, 3)}) == 1
