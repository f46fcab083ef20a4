"""Dead letters found again, and the replays of them noted."""

from datetime import timedelta
from uuid import UUID

import pytest

from persistence.dead_letter_search import DeadLetterFilter, Place
from persistence.replays import SENT
from tests.contract.persistence.builders import NOON, a_dead_letter


def place(offset, partition=3):
    return Place("vitals.readings.v1", partition, offset)


@pytest.fixture
async def stored(work):
    async with work() as unit:
        await unit.dead_letters.add(
            [
                a_dead_letter(offset=41),
                a_dead_letter(
                    offset=42, position=1, stage="semantic", reason="unit_missing", device_id="mon-1"
                ),
                a_dead_letter(
                    offset=42, position=3, stage="semantic", reason="impossible_value", device_id="mon-1"
                ),
                a_dead_letter(
                    offset=7, partition=4, received_at=NOON + timedelta(hours=1), correlation_id=UUID(int=2)
                ),
            ]
        )


class TestSearch:
    @pytest.mark.parametrize(
        ("wanted", "expected"),
        [
            (DeadLetterFilter(), [7, 42, 42, 41]),
            (DeadLetterFilter(stages=["semantic"]), [42, 42]),
            (DeadLetterFilter(reasons=["unit_missing", "not_json"]), [7, 42, 41]),
            (DeadLetterFilter(device_id="mon-1"), [42, 42]),
            (DeadLetterFilter(partition=4), [7]),
            (DeadLetterFilter(since=NOON + timedelta(hours=1)), [7]),
            (DeadLetterFilter(until=NOON + timedelta(hours=1)), [42, 42, 41]),
            (DeadLetterFilter(topic="vitals.readings.v1", partition=3, offset=42, position=3), [42]),
            (DeadLetterFilter(correlation_id=UUID(int=2)), [7]),
            (DeadLetterFilter(topic="elsewhere"), []),
        ],
    )
    async def test_each_condition_holds_by_itself(self, work, stored, wanted, expected):
        async with work() as unit:
            found = await unit.dead_letter_search.newest(wanted, 10)

        assert [letter.place.offset for letter in found] == expected

    async def test_the_bytes_come_back_as_they_were_and_only_if_asked_for(self, work, stored):
        async with work() as unit:
            without = await unit.dead_letter_search.newest(DeadLetterFilter(), 1)
            pages = await unit.dead_letter_search.after(DeadLetterFilter(), None, with_bytes=True)
            last = await unit.dead_letter_search.after(DeadLetterFilter(), pages[-1], with_bytes=True)

        assert (without[0].value, without[0].value_size) == (None, 3)
        assert [letter.value for letter in pages] == [a_dead_letter().value] * 4
        assert pages[0].headers == a_dead_letter().headers
        assert last == []

    async def test_a_record_is_told_once_however_many_of_its_readings_were_refused(self, work, stored):
        async with work() as unit:
            found = await unit.dead_letter_search.at([place(42), place(41), place(99)])

        assert found.keys() == {place(41), place(42)}


class TestReplays:
    async def test_what_was_asked_for_is_taken_once_and_ended_once(self, work):
        async with work() as unit:
            assert await unit.replays.ask("all", [place(1), place(2)], again=False) == 2
            (left,) = await unit.replays.unfinished()
        async with work() as unit:
            taken = await unit.replays.take(10)
            await unit.replays.end([place(1)], SENT)
        async with work() as unit:
            assert await unit.replays.take(10) == []
            assert [each.place for each in await unit.replays.in_doubt()] == [place(2)]

        assert (left.selection, left.records) == ("all", 2)
        assert [each.place for each in taken] == [place(1), place(2)]
        assert len({each.replay_id for each in taken}) == 2

    async def test_two_at_once_divide_the_work(self, work):
        async with work() as unit:
            await unit.replays.ask("all", [place(offset) for offset in range(4)], again=False)

        async with work() as one, work() as other:
            first, second = await one.replays.take(2), await other.replays.take(2)

        assert [each.place.offset for each in (*first, *second)] == [0, 1, 2, 3]

    async def test_what_was_sent_is_sent_again_only_when_that_is_asked_for(self, work):
        async with work() as unit:
            await unit.replays.ask("all", [place(1)], again=False)
            (first,) = await unit.replays.take(1)
            await unit.replays.end([place(1)], SENT)

        async with work() as unit:
            assert await unit.replays.ask("other", [place(1), place(2)], again=False) == 1
            assert await unit.replays.ask("third", [place(1)], again=True) == 1
            (second, _) = await unit.replays.take(2)

        assert second.replay_id != first.replay_id

    async def test_what_somebody_else_has_taken_since_is_not_given_back(self, work):
        async with work() as unit:
            await unit.replays.ask("all", [place(1)], again=False)
            (taken,) = await unit.replays.take(1)
        async with work() as unit:
            await unit.replays.give_back([taken])
            (again,) = await unit.replays.take(1)

            await unit.replays.give_back([taken])

            assert await unit.replays.take(1) == []
        assert again.replay_id == taken.replay_id

    async def test_what_is_abandoned_can_be_asked_for_anew(self, work):
        async with work() as unit:
            await unit.replays.ask("all", [place(1), place(2)], again=False)
            await unit.replays.take(1)
            await unit.replays.end([place(1)], SENT)

            assert await unit.replays.abandon() == 1
            assert await unit.replays.ask("other", [place(1), place(2)], again=False) == 1
