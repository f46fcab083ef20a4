"""What our own code failed on: told once, until it works again."""

from domain.alarms import Kind, Priority
from domain.alerts import Phase, Reason
from domain.unevaluated import Unevaluated
from tests.builders import Bedside, a_set, at


def failing(seconds, device="monitor"):
    return Unevaluated(at=at(seconds), device_id=device)


def test_someone_is_told_once_however_many_messages_fail():
    bedside = Bedside().take_all(failing(seconds) for seconds in range(5))

    (alert,) = bedside.alerts
    assert (alert.phase, alert.reason, alert.kind) == (Phase.START, Reason.NOT_EVALUATED, Kind.TECHNICAL)
    assert (alert.priority, alert.device_id) == (Priority.MEDIUM, "monitor")
    assert bedside.chart.chart_seq == 5


def test_a_set_of_the_same_device_that_is_evaluated_ends_it():
    bedside = Bedside().take_all([failing(0), a_set(5, heart_rate=80)])

    assert [(when, phase) for when, phase, _ in bedside.said] == [(0, "start"), (5, "end")]
    assert bedside.alerts[-1].reason is Reason.EVALUATED
    assert bedside.chart.alarms == {}


def test_another_device_does_not_end_it():
    bedside = Bedside().take_all([failing(0, "pump"), a_set(5, heart_rate=80)]).admitted(6)

    assert set(bedside.chart.alarms) == {"not-evaluated/pump"}


def test_a_failing_order_is_ended_by_an_order_or_by_a_set():
    by_order = Bedside().take_all([failing(0, None)]).admitted(5)
    by_set = Bedside().take_all([failing(0, None), a_set(5, heart_rate=80)])

    assert by_order.said_of("not-evaluated") == by_set.said_of("not-evaluated") == [(0, "start"), (5, "end")]


def test_staff_and_a_discharge_end_it_too():
    closed = Bedside().take_all([failing(0, "pump")])
    closed.closes(1, "not-evaluated/pump")
    discharged = Bedside().admitted(0).take_all([failing(1, "pump")])
    discharged.leaves(2)

    assert closed.chart.alarms == discharged.chart.alarms == {}


def test_a_timer_that_was_due_meanwhile_runs_out_at_its_own_time_later():
    bedside = Bedside().streams([80, 80, 80], sign="heart_rate")
    undisturbed = Bedside().streams([80, 80, 80], sign="heart_rate")

    bedside.take(failing(3600, "pump"))
    bedside.tick(3601)
    undisturbed.tick(3601)

    assert bedside.said_of("signal-overdue/monitor") == undisturbed.said_of("signal-overdue/monitor") != []


def test_no_timer_runs_out_and_no_track_is_touched_lest_they_fail_again():
    bedside = Bedside().streams([80, 80, 80], sign="heart_rate")
    before = bedside.chart

    bedside.take(failing(3600, "pump"))

    assert (bedside.chart.due_ms, bedside.chart.tracks) == (before.due_ms, before.tracks)
    assert bedside.starts() == ["not-evaluated/pump"]
