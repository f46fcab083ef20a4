"""The headers of a record that is sent again."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persistence.dead_letter_search import Place
from tests.unit.messages.records import RawRecord
from worker.dead_letters.rounds import Origin, headers_of_next_round, original_headers, round_of
from worker.messages import GivenUpBy, dead_letter_record, decode_reading_record

ORIGIN = Origin(
    Place("vitals.readings.v1", 3, 4711), datetime(2026, 11, 23, 10, 15, 2, tzinfo=UTC), UUID(int=5)
)
FIRST, SECOND = UUID(int=1), UUID(int=2)
NAMES = st.sampled_from(
    [
        "dlq-attempts",
        "dlq-replay-count",
        "dlq-original-topic",
        "vigil-replay-round",
        "vigil-replay-id",
        "correlation_id",
    ]
) | st.text(max_size=5)
HEADERS = st.lists(
    st.tuples(
        NAMES, st.none() | st.binary(max_size=20) | st.integers(0, 5).map(lambda each: str(each).encode())
    ),
    max_size=6,
).map(tuple)


def the_next(headers, replay_id=FIRST):
    return headers_of_next_round(headers, ORIGIN, replay_id)


@given(headers=HEADERS, rounds=st.integers(1, 4))
def test_what_the_producer_wrote_survives_any_number_of_rounds(headers, rounds):
    sent = headers

    for number in range(1, rounds + 1):
        sent = the_next(sent, UUID(int=number))

    assert sent[: len(headers)] == original_headers(sent) == headers
    assert round_of(sent) == rounds


def test_where_it_failed_first_is_told_in_every_round():
    elsewhere = Origin(Place("vitals.readings.v1", 0, 99), datetime(2027, 1, 1, tzinfo=UTC), UUID(int=6))

    second = dict(headers_of_next_round(the_next(()), elsewhere, SECOND))

    assert second["dlq-original-topic"] == b"vitals.readings.v1"
    assert (second["dlq-original-partition"], second["dlq-original-offset"]) == (b"3", b"4711")
    assert second["dlq-first-failed-at"] == b"2026-11-23T10:15:02.000Z"
    assert second["correlation_id"] == str(UUID(int=5)).encode()
    assert second["vigil-replay-id"] == str(SECOND).encode()


@pytest.mark.parametrize("value", [None, b"", b"-1", b"x", b"\xff", b"99999", b"1 ", "\u0661".encode()])
def test_a_count_that_no_replay_wrote_is_a_producers_header(value):
    forged = (*the_next(())[:-1], ("vigil-replay-round", value))

    assert round_of(forged) == 0
    assert original_headers(the_next(forged)) == forged


def test_a_count_in_the_wrong_place_is_a_producers_header():
    moved = (*the_next(()), ("late", b"1"))

    assert round_of(moved) == 0
    assert round_of((("vigil-replay-round", b"2"),)) == 0


def test_the_worker_raises_what_a_replay_sent():
    sent = the_next((("hostile", None),))
    record = RawRecord(value=b"{", headers=sent)

    _, letter = dead_letter_record(
        record,
        decode_reading_record(record).refusals[0],
        GivenUpBy(group="g", version="1", protocol_hash="h"),
    )

    told = dict(letter.headers)
    assert (told["dlq-attempts"], told["dlq-replay-count"]) == (b"2", b"1")
    assert told["dlq-original-offset"] == b"4711"
    assert letter.headers[0] == ("hostile", None)
    assert [name for name, _ in letter.headers].count("dlq-attempts") == 1
