"""What a repair decides: the marker's number, who goes behind it, what is out and not known."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from persistence.repairs import NotedRecord
from worker.lane_repair import plan_repair
from worker.output_scan import with_states
from worker.record_ids import record_id_of, state_id_of

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HEADERS = (("dlq-problem", b'{"instance":"/readings/0/7","position":1}'), ("dlq-position", b"1"))


def out(number, seq=None, topic="alerts"):
    return NotedRecord(UUID(int=number), topic, seq or number, NOON)


def queued(*numbers, at=NOON):
    return [(seq, UUID(int=seq), at) for seq in numbers]


def plan(rows, published, *, noted=(), numbers=(0, 0), since=None):
    return plan_repair(rows, published, {UUID(int=each) for each in noted}, numbers=numbers, since=since)


def test_the_marker_leaves_one_number_free_behind_every_number_given_or_out():
    assert plan(queued(1, 2), [out(1)], numbers=(9, 4)).marker == 11
    assert plan(queued(1, 2), [out(1)], numbers=(4, 9)).marker == 11
    assert plan(queued(1, 2), [out(1), out(8, 30)], numbers=(9, 4)).marker == 32
    assert plan([], []).marker == 2


def test_what_is_neither_out_nor_noted_as_out_goes_behind_the_marker_in_order():
    assert plan(queued(1, 2, 3, 4, 5), [out(2)], noted=[4]).waiting == (1, 3, 5)


def test_what_is_out_and_not_stored_is_told_unless_its_row_was_pruned():
    told = plan(queued(5, 6), [out(3), out(5), out(7), out(8, topic="alarm_state")], numbers=(6, 6))

    assert told.unexplained == (out(7),)


def test_with_an_empty_outbox_only_what_is_beyond_the_last_number_is_told():
    assert plan([], [out(3), out(4)], numbers=(3, 3)).unexplained == (out(4),)


def test_rows_from_before_the_look_back_that_were_not_seen_are_counted():
    rows = [*queued(1, 2, at=NOON - timedelta(days=1)), *queued(3)]

    assert plan(rows, [out(2)], since=NOON).too_old == 1
    assert plan(rows, [out(2)]).too_old == 0


def test_an_alarms_state_counts_as_out_once_anything_after_its_alert_is():
    found = with_states([out(1, 4), out(2, 6)])

    assert [each.record_id for each in found[2:]] == [state_id_of(UUID(int=1))]
    assert (found[2].topic, found[2].seq) == ("alarm_state", 5)


def test_a_record_is_known_again_under_another_number_and_by_what_it_is_about():
    ce_id = UUID(int=7)
    alert = (("ce_id", str(ce_id).encode()),)

    assert record_id_of("alerts", b"k", b"v", alert) == ce_id
    assert record_id_of("alerts", b"k", b"v", (*alert, ("ce_sequence", b"9"))) == ce_id
    assert record_id_of("alarm_state", b"k", None, (("alert_id", str(ce_id).encode()),)) == state_id_of(ce_id)
    assert record_id_of("dead_letters", b"k", b"v", HEADERS) == record_id_of(
        "dead_letters", b"o", None, HEADERS
    )


def test_a_record_that_bears_no_id_goes_by_its_content_whatever_its_number():
    plain = (("a", None), ("b", b"\xff"))

    assert record_id_of("dead_letters", None, b"v", plain) == record_id_of(
        "dead_letters", b"", b"v", (*plain, ("ce_sequence", b"12"))
    )
    assert record_id_of("dead_letters", None, b"v", plain) != record_id_of("dead_letters", None, b"w", plain)
    assert record_id_of("alerts", b"", b"v", (("ce_id", b"\xff"),)) != record_id_of("alerts", b"", b"v", ())
