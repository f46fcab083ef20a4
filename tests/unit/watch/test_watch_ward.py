from itertools import permutations

import pytest

from domain.alarms import AlarmState, Priority
from domain.alerts import Phase, Reason
from domain.observations import Mode
from tests.unit.watch.announced import TEN, alert_arrival, an_alert, at, beat_arrival, state_arrival, the_end
from worker.watch_ward import LAST_ENDED, Arrival, WardView


def standing(view):
    return [(told.rule.id, told.priority, told.state) for told in view.standing.values()]


def ended(view):
    return [(over.last.rule.id, over.reason) for over in view.ended]


def test_who_joins_late_learns_from_the_alarm_states_what_stands():
    view = WardView()

    view.take_alarm_state(state_arrival(an_alert("spo2-low"), 1))
    view.take_alarm_state(state_arrival(an_alert("hr-high", priority=Priority.MEDIUM), 2))

    assert standing(view) == [("spo2-low", "high", "active"), ("hr-high", "medium", "active")]


def test_a_tombstone_ends_what_stood():
    view = WardView()
    view.take_alarm_state(state_arrival(an_alert(), 1))

    view.take_alarm_state(state_arrival(the_end(determined_at=at(70)), 2))

    assert standing(view) == []
    assert ended(view) == [("spo2-low", None)]
    assert view.ended[0].at == at(70)


def test_a_tombstone_of_an_alarm_never_seen_is_nothing():
    view = WardView()

    view.take_alarm_state(state_arrival(the_end(), 2))

    assert (standing(view), ended(view)) == ([], [])


def test_an_end_is_told_once_with_its_reason_though_two_topics_tell_it():
    view = WardView()
    view.take_alert(alert_arrival(an_alert(), 1))
    view.take_alarm_state(state_arrival(an_alert(), 2))

    view.take_alert(alert_arrival(the_end(), 3))
    view.take_alarm_state(state_arrival(the_end(), 4))

    assert ended(view) == [("spo2-low", "cleared")]
    assert view.ended[0].at == at(60)


def test_what_stands_at_last_does_not_depend_on_the_order_of_arrival():
    raised, escalated = (
        an_alert(priority=Priority.MEDIUM),
        an_alert(phase=Phase.ESCALATE, priority=Priority.HIGH),
    )
    arrivals = [
        ("take_alert", alert_arrival(raised, 1)),
        ("take_alarm_state", state_arrival(raised, 2)),
        ("take_alert", alert_arrival(escalated, 3)),
        ("take_alarm_state", state_arrival(escalated, 4)),
    ]

    for order in permutations(arrivals):
        view = WardView()
        for take, arrival in order:
            getattr(view, take)(arrival)

        assert standing(view) == [("spo2-low", "high", "active")]


def test_an_old_start_does_not_raise_an_alarm_that_has_ended():
    view = WardView()
    view.take_alarm_state(state_arrival(the_end(), 4))

    view.take_alert(alert_arrival(an_alert(), 1))

    assert standing(view) == []


def test_an_acknowledged_alarm_stands_on():
    view = WardView()
    view.take_alert(alert_arrival(an_alert(), 1))

    seen = an_alert(phase=Phase.UPDATE, reason=Reason.ACKNOWLEDGED, state=AlarmState.ACKNOWLEDGED)
    view.take_alert(alert_arrival(seen, 2))

    assert standing(view) == [("spo2-low", "high", "acknowledged")]


def test_a_late_finding_is_shown_and_stands_nowhere():
    view = WardView()

    finding = an_alert(phase=Phase.TPOINT, reason=Reason.LATE_FINDING, state=AlarmState.INACTIVE)
    view.take_alert(alert_arrival(finding, 1))

    assert standing(view) == []
    assert ended(view) == [("spo2-low", "late_finding")]


@pytest.mark.parametrize(
    ("options", "seen"),
    [({}, 2), ({"mode": Mode.DEMO}, 1), ({"mode": Mode.REAL}, 1), ({"ward": "7B"}, 1), ({"ward": "9"}, 0)],
)
def test_only_what_was_asked_for_is_shown(options, seen):
    view = WardView(**options)

    view.take_alert(alert_arrival(an_alert("a", ward="7B", mode=Mode.REAL), 1))
    view.take_alert(alert_arrival(an_alert("b", ward="8", mode=Mode.DEMO), 1))

    assert len(view.standing) == seen


def test_of_what_is_over_only_the_last_few_are_kept():
    view = WardView()

    for number in range(LAST_ENDED + 3):
        view.take_alert(alert_arrival(an_alert(f"rule-{number}"), 2 * number + 1))
        view.take_alert(alert_arrival(the_end(f"rule-{number}"), 2 * number + 2))

    assert [rule for rule, _ in ended(view)] == [f"rule-{n}" for n in range(LAST_ENDED + 2, 2, -1)]


def test_the_newest_heartbeat_of_a_lane_counts():
    view = WardView()

    view.take_heartbeat(beat_arrival(3, at(5)))
    view.take_heartbeat(beat_arrival(3, TEN))

    assert view.heartbeats[3].at == at(5)


@pytest.mark.parametrize("take", ["take_alert", "take_heartbeat", "take_alarm_state"])
@pytest.mark.parametrize("value", [b"", b"{", b"\xff", b"[1]", b'{"schema_version": 2}'])
def test_what_cannot_be_read_is_counted_and_harms_nothing(take, value):
    view = WardView()

    getattr(view, take)(Arrival(key=b"no-uuid", value=value, sequence=1, at=TEN))

    assert view.unreadable == 1
    assert (view.standing, view.heartbeats) == ({}, {})


def test_a_heartbeat_is_no_news():
    view = WardView()
    view.take_alert(alert_arrival(an_alert(), 1))
    before = view.changes

    view.take_heartbeat(beat_arrival(0, TEN))
    view.take_alert(alert_arrival(an_alert(), 1))

    assert view.changes == before
