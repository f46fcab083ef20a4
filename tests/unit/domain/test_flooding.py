"""A device that sends far too much: one value of each sign a second is judged, and whatever makes it worse."""

from dataclasses import replace

import orjson
import pytest

from domain.chart import Flood
from domain.chart_form import chart_from_form, chart_to_form
from domain.flooding import with_set
from domain.limit_alarms import Verdict
from domain.observations import Mode
from domain.vital_signs import VitalSign
from tests.builders import PATIENT, Bedside, a_set, shipped

BURST = 20
SPACING_MS = 50


def impatient():
    """The shipped protocol with a smaller budget: twenty sets at once, twenty a second for ever."""
    protocol = shipped()
    return replace(protocol, signals=replace(protocol.signals, flood_burst=BURST))


def flooding(*, begin=0.0, **values):
    """A bedside whose monitor is far over its budget, a tenth of a second after it began."""
    values = values or {"spo2": 97, "heart_rate": 80}
    bedside = Bedside(impatient())
    for place in range(270):
        bedside.take(a_set(begin + place / 3000, **values))
    return bedside


def verdicts(bedside, seconds, **values):
    return bedside.take(a_set(seconds, **values)).verdicts


def test_a_device_within_its_budget_is_judged_value_by_value():
    bedside = Bedside(impatient())

    said = [verdicts(bedside, place / 1000, spo2=97) for place in range(BURST + 1)]

    assert said == [(Verdict.UNCHANGED,)] * (BURST + 1)
    assert bedside.alerts == []


def test_twenty_sets_a_second_are_no_flood_however_long():
    bedside = Bedside(impatient())

    said = {verdicts(bedside, place * SPACING_MS / 1000, spo2=97) for place in range(10 * BURST)}

    assert said == {(Verdict.UNCHANGED,)}
    assert bedside.chart.devices["monitor"].flood is None


def test_beyond_its_budget_each_sign_is_judged_once_in_a_second_of_received_time():
    bedside = flooding()

    said = [verdicts(bedside, seconds, spo2=97, heart_rate=80) for seconds in (0.1, 0.9, 1.0, 1.1, 1.9, 2.0)]

    both, neither = (Verdict.UNCHANGED,) * 2, (Verdict.EXCESS,) * 2
    assert said == [neither, neither, both, neither, neither, both]


def test_a_sign_that_was_not_judged_in_this_second_is():
    bedside = flooding()

    assert verdicts(bedside, 0.1, spo2=97, respiratory_rate=16) == (Verdict.EXCESS, Verdict.UNCHANGED)
    assert verdicts(bedside, 0.2, spo2=97, respiratory_rate=16) == (Verdict.EXCESS, Verdict.EXCESS)


def test_the_clock_of_the_log_counts_not_that_of_the_device():
    bedside = flooding()

    assert bedside.take(a_set(5, received=0.2, spo2=97)).verdicts == (Verdict.EXCESS,)


def test_an_extreme_value_is_judged_at_once_among_a_thousand_others():
    bedside = flooding()

    for place in range(300):
        verdicts(bedside, 0.1 + place / 1000, spo2=97)
    extreme = bedside.take(a_set(0.5, spo2=60))

    assert extreme.verdicts == (Verdict.RAISED,)
    assert bedside.open["spo2-low"][1].word == "high"


def test_what_makes_nothing_worse_is_judged_with_the_next_second():
    bedside = flooding()
    bedside.take(a_set(0.5, spo2=60))

    again = [
        verdicts(bedside, 0.6, spo2=60),
        verdicts(bedside, 0.7, spo2=97),
        verdicts(bedside, 0.8, spo2=61),
    ]

    assert again == [(Verdict.EXCESS,)] * 3
    assert verdicts(bedside, 1.0, spo2=60) == (Verdict.UNCHANGED,)


def test_a_violation_that_must_hold_begins_at_once_and_is_held_by_the_seconds_values():
    bedside = flooding()

    begun = verdicts(bedside, 0.2, spo2=90)
    between = verdicts(bedside, 0.3, spo2=90)
    for second in range(1, 15):
        verdicts(bedside, second, spo2=90)
    held = verdicts(bedside, 15.2, spo2=90)

    assert (begun, between) == ((Verdict.PENDING,), (Verdict.EXCESS,))
    assert held == (Verdict.RAISED,)


def test_a_worse_tier_counts_also_while_a_milder_one_is_pending():
    bedside = flooding()
    verdicts(bedside, 0.2, spo2=90)

    assert verdicts(bedside, 0.3, spo2=70) == (Verdict.RAISED,)


def test_an_older_value_is_not_urgent():
    bedside = flooding()
    verdicts(bedside, 0.5, spo2=97)

    old = bedside.take(a_set(-3, received=0.6, spo2=60))

    assert old.verdicts == (Verdict.EXCESS,)


def test_a_signal_that_is_lost_while_something_is_pending_is_told_at_once():
    bedside = flooding()
    verdicts(bedside, 0.2, spo2=90)

    lost = bedside.take(a_set(0.3, spo2=None))
    again = bedside.take(a_set(0.4, spo2=None))

    assert [alert.rule_id for alert in lost.alerts] == ["spo2-low"]
    assert (lost.verdicts, again.verdicts) == ((Verdict.ABSENT,), (Verdict.EXCESS,))


def test_a_signal_that_is_lost_while_all_is_well_waits_for_the_next_second():
    bedside = flooding()

    assert verdicts(bedside, 0.3, spo2=None) == (Verdict.EXCESS,)
    assert verdicts(bedside, 1.0, spo2=None) == (Verdict.ABSENT,)


def test_what_is_only_stored_is_no_excess_where_it_has_its_turn():
    bedside = flooding()

    assert verdicts(bedside, 0.1, body_weight=70) == (Verdict.STORED_ONLY,)
    assert verdicts(bedside, 0.2, body_weight=70) == (Verdict.EXCESS,)


def test_a_flood_is_one_low_technical_alarm_and_ends_when_the_device_is_quiet_again():
    bedside = flooding()
    for place in range(50):
        verdicts(bedside, 0.1 + place / 1000, spo2=97)
    bedside.streams([97] * 30, sign="spo2", begin=1)

    assert [phase for _, phase in bedside.said_of("flooding/monitor")] == ["start", "end"]
    start, end = bedside.alerts
    assert (start.priority.word, start.kind) == ("low", "technical")
    assert start.title.endswith(
        "the device sends far too often, one value a second is judged, check its setting"
    )
    assert end.title.endswith("device that sends too often: sends at its rhythm again")
    assert bedside.chart.devices["monitor"].flood is None


def test_a_long_flood_is_over_soon_after_its_end():
    bedside = flooding()
    for place in range(5000):
        verdicts(bedside, 0.1 + place / 1000, spo2=97)

    assert bedside.chart.devices["monitor"].flood.owed_ms == BURST * SPACING_MS + 10_000


def test_another_device_of_the_patient_has_a_budget_of_its_own():
    bedside = flooding()

    assert bedside.take(a_set(0.3, spo2=97, device="other")).verdicts == (Verdict.UNCHANGED,)


def test_the_window_of_a_flood_stays_small():
    bedside = flooding()
    for place in range(3000):
        verdicts(bedside, 0.1 + place / 1000, spo2=97)

    assert len(bedside.chart.tracks[VitalSign.SPO2].window) < BURST + 10


@pytest.mark.parametrize("sets", [2, BURST + 5])
def test_a_flood_comes_back_as_it_was_stored_and_goes_on_the_same(sets):
    bedside = Bedside(impatient())
    for place in range(sets):
        verdicts(bedside, place / 1000, spo2=97)
    form = orjson.loads(orjson.dumps(chart_to_form(bedside.chart)))

    again = chart_from_form(form, patient_id=PATIENT, mode=Mode.REAL, lane=0, chart_seq=sets)

    assert again == bedside.chart
    assert again.devices["monitor"].flood is not None


def test_what_a_device_owes_is_paid_by_time_and_never_below_nothing():
    rules = impatient().signals

    assert with_set(None, SPACING_MS, rules) is None
    assert with_set(None, 0, rules) == Flood(SPACING_MS, {})
    assert with_set(None, -5, rules) == Flood(SPACING_MS, {})
    assert with_set(Flood(100, {}), 130, rules) == Flood(20, {})
    assert with_set(Flood(100, {}), 150, rules) is None


def test_when_signs_were_judged_is_remembered_only_beyond_the_budget():
    rules, judged = impatient().signals, {VitalSign.SPO2: 7}
    budget = rules.flood_budget_ms

    assert with_set(Flood(budget, judged), SPACING_MS, rules) == Flood(budget, {})
    assert with_set(Flood(budget, judged), SPACING_MS - 1, rules) == Flood(budget + 1, judged)
