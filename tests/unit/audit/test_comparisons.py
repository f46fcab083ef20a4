"""What an audit makes of what is stored and what is out, without either."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from persistence.audit import FoundLetter, FoundReading, Opening, TimeRange
from tests.unit.messages.records import a_record, a_set
from worker.audit.command import range_of
from worker.audit.findings import Account, Finding, Subject, Trouble
from worker.audit.input_comparison import Stored, compare_input, count_led, expected_of
from worker.audit.output_comparison import Content, LaneComparison, said_of
from worker.audit.taken_in import judge_numbers
from worker.errors import OperatorError

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def said(number, *, role="alerts", value=b"{}", name=None, at_ms=0):
    headers = (
        ("ce_id", str(UUID(int=name or number)).encode()),
        ("alert_id", str(UUID(int=number)).encode()),
    )
    return said_of(role, Content(b"P", value, headers), seq=number, at_ms=at_ms)


def compared(recorded, out, *, published=9, **more):
    lane = LaneComparison(0, published, **more)
    for each in recorded:
        lane.record(each, b"P", is_deletion=False)
    for each in out:
        lane.publish(each)
    return lane


def troubles(lane):
    return [each.trouble for each in lane.findings()]


class TestOutput:
    def test_what_is_out_once_and_in_order_as_it_was_recorded_is_well(self):
        lane = compared([said(1), said(2)], [said(1), said(2)])

        assert (troubles(lane), lane.absent(with_states=True)) == ([], [])

    def test_what_is_out_twice_is_doubled_once(self):
        assert troubles(compared([said(1), said(2)], [said(1), said(2), said(1)])) == [Trouble.DOUBLED]

    def test_what_is_out_with_another_content_is_different_and_altered_if_no_repair_has_noted_it(self):
        lane = compared([said(1), said(2)], [said(1, value=b"[]"), said(2)])

        assert lane.different == [said(1, value=b"[]")]
        lane.alter(lane.different)
        assert troubles(lane) == [Trouble.ALTERED]

    def test_a_dead_letter_that_says_what_it_left_out_is_not_altered(self):
        problem = ("dlq-problem", b'{"instance": "/t/0/1", "position": 0}')
        whole = said_of("dead_letters", Content(b"P", b"much", (problem,)), seq=1)
        stub = said_of("dead_letters", Content(b"P", None, (problem, ("dlq-value-omitted", b"4"))), seq=1)
        bare = said_of("dead_letters", Content(b"P", None, (problem,)), seq=1)

        assert compared([whole], [stub]).different == []
        assert compared([whole], [bare]).different == [bare]

    def test_what_is_out_in_another_order_is_out_of_order(self):
        assert troubles(compared([said(1), said(2)], [said(2), said(1)])) == [Trouble.OUT_OF_ORDER]

    def test_what_is_not_out_is_absent(self):
        assert compared([said(1), said(2)], [said(2)]).absent(with_states=True) == [said(1)]

    def test_what_waits_to_be_published_is_not_absent_and_known_if_it_is_out_already(self):
        lane = compared([said(1), said(2), said(3)], [said(2), said(1)], published=1)

        assert lane.absent(with_states=True) == []
        assert lane.unknown == []

    def test_an_alarms_former_state_may_have_been_compacted_away_its_present_one_not(self):
        states = [said(1, role="alarm_state"), said(2, role="alarm_state")]
        lane = compared(states, [])

        assert lane.absent(with_states=True) == [states[1]]
        assert lane.absent(with_states=False) == []

    def test_the_deletion_of_a_state_leaves_none_that_must_be_there(self):
        lane = compared([said(1, role="alarm_state")], [])
        lane.record(said(2, role="alarm_state", value=None), b"P", is_deletion=True)

        assert lane.absent(with_states=True) == []

    def test_what_was_recorded_before_the_range_is_known_by_its_number_or_by_a_repair(self):
        lane = compared([], [said(3), said(4), said(5), said(6)])

        lane.judge_unknown(said(3), said(3), is_noted=False)
        assert troubles(lane) == []
        lane.judge_unknown(said(4), None, is_noted=True)
        lane.judge_unknown(said(5), said(5, name=9), is_noted=False)
        lane.judge_unknown(said(6), said(6, value=b"[]"), is_noted=False)
        assert troubles(lane) == [Trouble.GONE, Trouble.UNEXPLAINED, Trouble.ALTERED]


def found_of(expected, **changed):
    reading = expected.readings[0]
    told = {
        "vital_sign": str(reading.vital_sign), "value": reading.value, "validity": str(reading.validity),
        "received_at": expected.received_at, "correlation_id": expected.correlation_id,
    }  # fmt: skip
    return FoundReading(**(told | changed))


def stored(readings=(), letters=(), commands=()):
    return Stored(readings=dict(enumerate(readings)), letters=dict(letters), commands=set(commands))


class TestInput:
    expected = expected_of(a_record(a_set()), is_command=False)
    refused = expected_of(a_record("not a set"), is_command=False)

    def test_a_reading_that_is_stored_as_it_came_is_well(self):
        found = stored([found_of(self.expected)])

        assert list(compare_input([self.expected], found)) == []

    def test_a_reading_that_is_not_stored_is_lost(self):
        (finding,) = compare_input([self.expected], stored())

        assert (finding.trouble, finding.subject) == (Trouble.LOST, Subject.READINGS)

    def test_a_reading_whose_record_was_given_up_is_no_loss(self):
        record = self.expected.record
        letters = {self.expected.place: [FoundLetter(0, record.key, record.value)]}

        assert list(compare_input([self.expected], stored(letters=letters))) == []

    @pytest.mark.parametrize(
        "changed", [{"value": 1.0}, {"validity": "questionable"}, {"vital_sign": "spo2"}]
    )
    def test_a_reading_that_is_stored_otherwise_is_altered(self, changed):
        found = stored([found_of(self.expected, **changed)])

        assert [each.trouble for each in compare_input([self.expected], found)] == [Trouble.ALTERED]

    def test_a_refusal_must_be_kept_and_kept_as_it_came(self):
        kept = {self.refused.place: [FoundLetter(0, self.refused.record.key, b"other")]}

        assert [each.trouble for each in compare_input([self.refused], stored())] == [Trouble.LOST]
        assert [each.trouble for each in compare_input([self.refused], stored(letters=kept))] == [
            Trouble.ALTERED
        ]

    def test_only_the_record_that_led_to_a_row_is_counted_for_it(self):
        early, late = NOW - timedelta(days=3650), NOW + timedelta(days=3650)
        again = found_of(self.expected, correlation_id=UUID(int=1))

        assert count_led([self.expected], stored([found_of(self.expected)]), (early, late)) == 1
        assert count_led([self.expected], stored([again]), (early, late)) == 0
        assert count_led([self.expected], stored([found_of(self.expected)]), (early, early)) == 0


def opening(**more):
    told = {
        "progress": {},
        "last_seq": {},
        "oldest_seq": {},
        "readings": 0,
        "missing": frozenset(),
        "doubled": frozenset(),
    }
    return Opening(**(told | more))


def test_numbers_that_are_missing_or_double_and_readings_too_many_are_told():
    found = judge_numbers(
        opening(missing=frozenset({(7, 3)}), doubled=frozenset({(8, 4)}), readings=5), led=4
    )

    assert [(each.trouble, each.where) for each in found] == [
        (Trouble.LOST, "chart 7, number 3"),
        (Trouble.DOUBLED, "chart 8, number 4"),
        (Trouble.UNEXPLAINED, "received in this time"),
    ]
    assert judge_numbers(opening(readings=5), led=None) == []


def test_an_account_counts_everything_and_keeps_some():
    account = Account()

    account.add([Finding(Trouble.LOST, Subject.READINGS, "there")] * 1500)

    assert (account.wrong.total(), len(account.findings), account.is_whole) == (1500, 1000, False)
    assert "readings: 1,500 lost" in list(account.told())


def test_the_last_day_is_looked_at_unless_told_otherwise():
    hour = timedelta(hours=1)

    assert range_of(None, None, NOW).since == NOW - 24 * hour
    assert range_of(NOW - 2 * hour, NOW - hour, NOW) == TimeRange(NOW - 2 * hour, NOW - hour, is_open=False)


@pytest.mark.parametrize(("since", "until"), [(1, None), (-1, -2), (None, 1)])
def test_a_time_that_has_not_passed_is_refused(since, until):
    moments = [None if hours is None else NOW + timedelta(hours=hours) for hours in (since, until)]

    with pytest.raises(OperatorError, match="--since must lie before --until"):
        range_of(*moments, NOW)
