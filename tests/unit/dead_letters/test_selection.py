"""What an operator may ask for, and the one line that answers a mistake."""

from datetime import datetime
from uuid import UUID

import pytest

from persistence.dead_letter_search import DeadLetterFilter
from worker.dead_letters.selection import Asked, filter_of, text_of
from worker.errors import OperatorError


def test_a_time_without_a_zone_is_the_readers_own():
    wanted = filter_of(Asked(since="2026-11-23T10:15", until="2026-11-23T23:15Z"))

    assert wanted.since == datetime(2026, 11, 23, 10, 15).astimezone()
    assert wanted.until == datetime.fromisoformat("2026-11-23T23:15:00+00:00")


@pytest.mark.parametrize(
    ("letter_id", "expected"),
    [
        ("vitals.readings.v1/3/4711", DeadLetterFilter(topic="vitals.readings.v1", partition=3, offset=4711)),
        (
            "/vitals.readings.v1/3/4711",
            DeadLetterFilter(topic="vitals.readings.v1", partition=3, offset=4711),
        ),
        ("t/0/1#2", DeadLetterFilter(topic="t", partition=0, offset=1, position=2)),
        (str(UUID(int=7)), DeadLetterFilter(correlation_id=UUID(int=7))),
    ],
)
def test_an_id_is_a_place_or_a_correlation_id(letter_id, expected):
    assert filter_of(Asked(letter_id=letter_id)) == expected


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (Asked(reasons=("nope",)), "--reason nope: there is none; right would be one of decoder_failed, "),
        (Asked(stages=("decode", "x")), "--stage x: there is none; right would be one of decode, evaluate"),
        (Asked(since="yesterday"), "--since yesterday is no date and time"),
        (Asked(since="2026-11-24", until="2026-11-23"), "is not before --until"),
        (Asked(letter_id="4711"), "is no id of a dead letter"),
        (Asked(letter_id="t/1"), "is no id of a dead letter"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_would_be_right(asked, words):
    with pytest.raises(OperatorError, match=words) as error:
        filter_of(asked)

    assert "\n" not in str(error.value)


def test_the_same_filter_is_the_same_words_in_any_order():
    one = filter_of(Asked(stages=("schema", "decode"), device="mon-1"))
    other = filter_of(Asked(stages=("decode", "schema"), device="mon-1"))

    assert text_of(one) == text_of(other) == "stages=decode,schema device_id=mon-1"
    assert text_of(DeadLetterFilter()) == "all"
