"""When a stream is wholly bad, and when it is good again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson
import pytest

from persistence.dead_letter_search import Place
from tests.contract.worker.records import Record, a_command, a_set
from worker.batches import Run, read_batch
from worker.dead_letters.rounds import Origin, headers_of_next_round
from worker.unusable import LONGEST_PAUSE, first_usable, pause_before, unusable_in_a_row

READINGS, OTHER = ("readings", 0), ("readings", 1)


def records(word, *, partition=0, first=0):
    """A record for each letter: g(ood), b(ad), h(alf: of two readings one is bad)."""
    made = {
        "g": lambda offset: a_set(offset, offset, partition=partition),
        "b": lambda offset: Record(b"{", offset, partition=partition),
        "h": lambda offset: a_set(offset, offset, partition=partition, heart_rate=80, spo2=900),
    }
    return [made[letter](first + place) for place, letter in enumerate(word)]


async def counted(*runs, before=None):
    batch = await read_batch([Run(some[0].topic, some[0].partition, None, some) for some in runs], "commands")
    return unusable_in_a_row(batch, before or {})


@pytest.mark.parametrize(
    ("before", "word", "count"),
    [
        (0, "ggg", None),
        (0, "bbb", 3),
        (4, "bbb", 7),
        (4, "g", None),
        (4, "bbg", None),
        (4, "bgbb", 2),
        (0, "gbgb", 1),
        (7, "h", None),
        (7, "bhb", 1),
    ],
)
async def test_only_what_could_not_be_used_since_the_last_that_could_counts(before, word, count):
    found = await counted(records(word), before={READINGS: before} if before else {})

    assert found.get(READINGS) == count


async def test_what_an_operators_replay_brings_back_says_nothing_of_the_stream():
    origin = Origin(Place(*READINGS, 7), datetime(2026, 11, 23, tzinfo=UTC), UUID(int=1))
    back = headers_of_next_round((), origin, UUID(int=2))
    replayed = [replace(each, headers=back) for each in records("bbb", first=2)]

    assert await counted([*records("bb"), *replayed], before={READINGS: 4}) == {READINGS: 6}
    assert await counted(replayed) == {}


async def test_each_partition_counts_for_itself():
    found = await counted(
        records("bb"), records("gbbb", partition=1), records("gg", partition=2), before={READINGS: 1}
    )

    assert found == {READINGS: 3, OTHER: 3}


async def test_a_partition_that_nothing_came_from_keeps_its_count():
    assert await counted(records("g"), before={OTHER: 5}) == {OTHER: 5}


async def test_a_command_that_can_be_used_counts_as_well():
    bad = [Record(b"{}", offset, topic="commands") for offset in range(2)]

    assert await counted(bad) == {("commands", 0): 2}
    assert await counted([*bad, a_command(2, ward="7B")]) == {}


@pytest.mark.parametrize(("word", "offset"), [("bbb", None), ("bgb", 21), ("h", 20), ("bbg", 22)])
def test_the_first_record_that_something_can_be_made_of_is_found(word, offset):
    assert first_usable(records(word, first=20), "commands") == offset


def test_of_commands_it_is_found_too():
    some = [Record(b"{}", 4, topic="commands"), a_command(5, ward="7B")]

    assert first_usable(some, "commands") == 5
    assert first_usable(some[:1], "commands") is None


def sent_again(record):
    origin = Origin(Place("readings", 0, 1), datetime(2026, 11, 23, tzinfo=UTC), UUID(int=1))
    return replace(record, headers=headers_of_next_round((), origin, UUID(int=2)))


@pytest.mark.parametrize(("word", "count"), [("bbb", 2), ("bgb", None), ("gbb", 1)])
async def test_what_an_operator_sent_again_neither_raises_nor_resets_the_count(word, count):
    *some, last = records(word)

    assert (await counted([*some, sent_again(last)])).get(READINGS) == count
    assert await counted([sent_again(last)], before={READINGS: 7}) == {READINGS: 7}


def test_a_set_whose_every_reading_is_bad_is_of_no_use():
    bad = orjson.loads(a_set(3).value)
    bad["readings"][0]["value"] = 9000

    assert first_usable([Record(orjson.dumps(bad), 3)], "commands") is None


@pytest.mark.parametrize(("tries", "seconds"), [(0, 5), (1, 10), (2, 20), (3, 30), (4, 30), (1000, 30)])
def test_the_pauses_double_up_to_half_a_minute(tries, seconds):
    assert pause_before(tries, timedelta(seconds=5)) == timedelta(seconds=seconds)
    assert timedelta(seconds=30) == LONGEST_PAUSE
