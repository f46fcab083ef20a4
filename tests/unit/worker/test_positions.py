from dataclasses import dataclass

import pytest

from worker.errors import OperatorError
from worker.positions import (
    Fit,
    Pace,
    Position,
    age_seconds,
    fit,
    most_after,
    not_yet_handled,
    pause_after,
    recover,
    worst_age,
)


@dataclass
class Record:
    offset: int


def test_a_batch_that_begins_where_it_should_fits():
    assert fit(Position(stored=10, expected=10), 10) is Fit.FITS


def test_a_gap_is_asked_for_again_before_it_is_believed():
    position = Position(stored=10, expected=10)

    assert fit(position, 15) is Fit.ASK_AGAIN

    position.suspect = 15
    assert fit(position, 15) is Fit.GAP


def test_another_gap_than_the_suspected_one_is_asked_for_again():
    assert fit(Position(stored=10, expected=10, suspect=15), 17) is Fit.ASK_AGAIN


@pytest.mark.parametrize(
    ("offsets", "left"),
    [([8, 9], []), ([8, 9, 10, 11], [10, 11]), ([10, 11], [10, 11]), ([12], [12])],
)
def test_what_was_handled_before_is_left_out(offsets, left):
    records = [Record(offset) for offset in offsets]

    found = not_yet_handled(Position(stored=10, expected=10), records)

    assert [record.offset for record in found] == left


@pytest.mark.parametrize(
    ("stored", "expected", "gap"),
    [
        pytest.param(None, 5, 0, id="first contact: from the beginning of the log"),
        pytest.param(5, 5, 0, id="at the beginning"),
        pytest.param(20, 20, 0, id="at the end"),
        pytest.param(3, 5, 2, id="the log has lost two that were due"),
    ],
)
def test_work_goes_on_where_the_database_says(stored, expected, gap):
    found = recover(stored, beginning=5, end=20, partition="t/0")

    assert (found.position.stored, found.position.expected, found.gap) == (stored, expected, gap)


def test_a_log_that_ends_before_what_is_stored_is_another_topic():
    with pytest.raises(OperatorError, match="t/0 ends at offset 20, but 21 records"):
        recover(21, beginning=0, end=20, partition="t/0")


def test_pauses_double_up_to_a_bound_and_are_spread():
    assert pause_after(1, 1.0) == pytest.approx(0.2)
    assert pause_after(2, 1.0) == pytest.approx(0.4)
    assert pause_after(50, 1.0) == 2.0
    assert pause_after(2, 0.0) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("position", "end", "age"),
    [
        (Position(stored=10, expected=10, received_ms=1_000), 10, 0.0),
        (Position(stored=10, expected=10), 10, 0.0),
        (Position(stored=10, expected=10, received_ms=1_000), 11, 4.0),
        (Position(stored=10, expected=10, received_ms=9_000), 11, 0.0),  # the broker's clock is ahead
        (Position(stored=10, expected=10), 11, None),  # records wait, and none was handled yet
        (Position(stored=10, expected=10, received_ms=1_000), None, None),
        (None, 11, None),
    ],
)
def test_a_partition_is_as_far_behind_as_its_newest_handled_record_is_old_while_others_wait(
    position, end, age
):
    assert age_seconds(position, end, now_ms=5_000) == age


@pytest.mark.parametrize(
    ("ages", "worst"), [([], None), ([0.0, 0.0], 0.0), ([3.0, 0.0, 7.5], 7.5), ([3.0, None], None)]
)
def test_a_worker_is_as_far_behind_as_its_worst_partition_and_says_nothing_it_cannot_tell(ages, worst):
    assert worst_age(ages) == worst


def test_after_each_failure_half_as_much_is_tried_but_never_too_little():
    tried = [most_after(failures, first=1000, least=100) for failures in (1, 2, 3, 4, 5, 1000)]

    assert tried == [1000, 500, 250, 125, 100, 100]
    assert most_after(0) > 50_000  # as many as there are


def test_as_many_records_are_taken_at_once_as_take_about_a_second():
    pace = Pace(seconds=1.0, least=100)

    pace.learn(1000, 4.0)
    assert pace.most == 250
    pace.learn(250, 0.1)
    assert pace.most == 2500
    pace.learn(5, 1.0)  # so few tell of the round trips
    assert pace.most == 2500
    pace.learn(100, 60.0)
    assert pace.most == 100
