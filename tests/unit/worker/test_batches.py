from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.batches import Run, halves, parts, size_of


@dataclass(frozen=True)
class Record:
    offset: int
    timestamp: int = 0


def a_run(partition, first, count, stored=None):
    return Run(
        "t", partition, stored if stored is not None else first, [Record(first + i) for i in range(count)]
    )


def handled(runs):
    return [(run.partition, record.offset) for run in runs for record in run.records]


@pytest.mark.parametrize("sizes", [(2,), (5,), (3, 4), (1, 1, 1), (6, 1)])
def test_both_halves_together_are_the_whole_in_log_order(sizes):
    runs = [a_run(partition, 10, size) for partition, size in enumerate(sizes)]

    first, second = halves(runs)

    assert handled([*first, *second]) == handled(runs)
    assert abs(size_of(first) - size_of(second)) <= 1
    assert first
    assert second


def test_the_second_half_claims_what_the_first_leaves():
    first, second = halves([a_run(0, 10, 4)])

    assert (first[0].claim.expected, first[0].claim.following) == (10, 12)
    assert (second[0].claim.expected, second[0].claim.following) == (12, 14)


def test_a_claim_ends_after_the_last_record_even_where_offsets_are_missing():
    run = Run("t", 0, 10, [Record(10), Record(14)])

    assert run.claim.following == 15


def test_the_first_contact_claims_a_partition_that_nobody_has_worked_through():
    first, second = halves([Run("t", 0, None, [Record(0), Record(1)])])

    assert (first[0].claim.expected, second[0].claim.expected) == (None, 1)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=6), st.integers(1, 40))
def test_parts_are_the_whole_in_log_order_none_larger_than_asked_and_each_begins_where_the_last_ended(
    sizes, most
):
    runs = [a_run(number, 10, size) for number, size in enumerate(sizes)]

    found = list(parts(runs, lambda: most))

    assert all(0 < size_of(part) <= most for part in found)
    for number, run in enumerate(runs):
        pieces = [piece for part in found for piece in part if piece.partition == number]
        assert [record for piece in pieces for record in piece.records] == list(run.records)
        expected = [run.stored, *(piece.claim.following for piece in pieces)]
        assert [piece.stored for piece in pieces] == expected[:-1]


def test_each_part_that_has_passed_lets_the_next_be_larger():
    most, sizes = [100], []

    for part in parts([a_run(0, 0, 1600)], lambda: most[0]):
        sizes.append(size_of(part))
        most[0] *= 2

    assert sizes == [100, 100, 200, 400, 800]
