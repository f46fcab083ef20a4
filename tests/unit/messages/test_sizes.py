"""What a dead letter leaves out where a broker takes no record that large."""

import pytest

from persistence.outbox import OutgoingRecord
from tests.unit.messages.test_dead_letters import RawRecord, the_dead_letter
from worker.messages.sizes import LARGEST_RECORD, SMALLEST_LIMIT, fitted, size_of
from worker.record_ids import record_id_of


def a_dead_letter(**raw):
    return the_dead_letter(RawRecord(**raw))[1]


def known_as(record):
    return record_id_of(record.topic, record.key, record.value, record.headers)


def test_what_fits_stays_as_it_is():
    record = a_dead_letter(value=b"x" * 1000)

    assert fitted(record, LARGEST_RECORD) is record


def test_a_value_too_large_is_left_out_and_its_size_told():
    record = a_dead_letter(value=b"x" * 20_000, headers=(("theirs", b"1"),))

    smaller = fitted(record, 10_000)

    assert (smaller.key, smaller.value) == (record.key, None)
    assert smaller.headers == (*record.headers, ("dlq-value-omitted", b"20000"))


@pytest.mark.parametrize(
    "raw",
    [
        {"value": b"x" * 500_000},
        {"value": b"{", "headers": (("theirs", b"x" * 500_000),)},
        {"value": b"{", "key": b"k" * 500_000},
        {"value": b"{", "headers": tuple(("correlation_id", b"x" * 200) for _ in range(1000))},
        {"value": b"{", "headers": (("dlq-problem", b"x" * 100_000), ("dlq-stage", b"x" * 100_000))},
    ],
)
def test_however_it_came_it_fits_in_the_end_and_is_known_again(raw):
    record = a_dead_letter(**raw)

    smaller = fitted(record, SMALLEST_LIMIT)

    assert size_of(smaller) <= SMALLEST_LIMIT
    assert known_as(smaller) == known_as(record)


def test_nothing_but_a_dead_letter_is_made_smaller():
    alert = OutgoingRecord(topic="alerts", key=b"P-1", value=b"x" * 10_000)

    assert fitted(alert, SMALLEST_LIMIT) is alert
