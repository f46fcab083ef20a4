"""Input pauses: they stand from one worker to the next, until they are ended."""

from datetime import timedelta

from persistence.input_pauses import InputPauseRow
from tests.contract.persistence.builders import NOON

PLACE = ("readings", 3)


def a_pause(**changes):
    return InputPauseRow(*PLACE, NOON, 0, NOON + timedelta(seconds=5), ["7B", ""])._replace(**changes)


async def test_a_pause_stands_until_it_is_ended_and_knows_whom_it_was_told(work):
    async with work() as unit:
        await unit.input_pauses.begin(a_pause())

    async with work() as unit:
        assert await unit.input_pauses.standing([PLACE, ("readings", 4)]) == [a_pause()]
        assert await unit.input_pauses.end(*PLACE) == ["7B", ""]
    async with work() as unit:
        assert await unit.input_pauses.standing([PLACE]) == []
        assert await unit.input_pauses.end(*PLACE) == ()


async def test_a_look_in_vain_postpones_the_next(work):
    later = a_pause(tries=1, retry_at=NOON + timedelta(seconds=15))
    async with work() as unit:
        await unit.input_pauses.begin(a_pause())
        await unit.input_pauses.postpone(later)

    async with work() as unit:
        assert await unit.input_pauses.standing([PLACE]) == [later]


async def test_a_pause_that_stands_already_stays_as_it_is(work):
    async with work() as unit:
        await unit.input_pauses.begin(a_pause())
        await unit.input_pauses.begin(a_pause(paused_at=NOON + timedelta(hours=1), wards=["8A"]))

    async with work() as unit:
        assert await unit.input_pauses.standing([PLACE]) == [a_pause()]
