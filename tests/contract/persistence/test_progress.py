"""The claim: exactly one worker goes on with a partition, from where the last one committed."""

import asyncio

import pytest

from persistence.errors import LostClaimError
from persistence.progress import Claim
from tests.contract.persistence.builders import NOON, until_it_waits


async def test_a_partition_nobody_was_ever_in_is_not_known(work):
    async with work() as unit:
        assert await unit.progress.next_offsets([("readings", 0)]) == {}


async def test_a_claim_moves_its_partition_on(work):
    async with work() as unit:
        await unit.progress.claim([Claim("readings", 0, None, 5), Claim("commands", 0, None, 2)])
    async with work() as unit:
        await unit.progress.claim([Claim("readings", 0, 5, 9)])

    async with work() as unit:
        offsets = await unit.progress.next_offsets([("readings", 0), ("commands", 0), ("readings", 1)])
    assert offsets == {("readings", 0): 9, ("commands", 0): 2}


async def test_a_partition_was_last_seen_when_its_last_record_came(work, bystander):
    async with work() as unit:
        await unit.progress.claim([Claim("readings", 0, None, 5, NOON), Claim("readings", 1, None, 5)])
    async with work() as unit:
        await unit.progress.claim([Claim("readings", 0, 5, 9)])  # moved on over what is gone

    async with work() as unit:
        seen = await unit.progress.last_seen([("readings", 0), ("readings", 1), ("readings", 2)])
    updated = await bystander.fetchval("SELECT updated_at FROM progress WHERE partition = 1")
    assert seen == {("readings", 0): NOON, ("readings", 1): updated}


@pytest.mark.parametrize("expected", [4, 6, None])
async def test_a_claim_from_anywhere_else_is_lost_and_says_where(work, expected):
    async with work() as unit:
        await unit.progress.claim([Claim("readings", 3, None, 5)])

    with pytest.raises(LostClaimError, match="readings/3"):
        async with work() as unit:
            await unit.progress.claim([Claim("readings", 3, expected, 9)])

    async with work() as unit:
        assert await unit.progress.next_offsets([("readings", 3)]) == {("readings", 3): 5}


async def test_a_claim_on_a_partition_that_was_forgotten_is_lost(work):
    with pytest.raises(LostClaimError, match="is at None, not at 5"):
        async with work() as unit:
            await unit.progress.claim([Claim("readings", 0, 5, 9)])


@pytest.mark.parametrize("expected", [5, None])
async def test_of_two_claimers_at_once_exactly_one_wins(work, expected):
    if expected is not None:
        async with work() as unit:
            await unit.progress.claim([Claim("readings", 0, None, expected)])

    async def go_on():
        async with work() as unit:
            await unit.progress.claim([Claim("readings", 0, expected, 9)])

    outcomes = await asyncio.gather(go_on(), go_on(), return_exceptions=True)

    assert sorted(type(outcome) for outcome in outcomes if outcome) == [LostClaimError]


async def test_a_claimer_that_waited_sees_what_the_other_committed(work, bystander):
    async with work() as unit:
        await unit.progress.claim([Claim("readings", 0, None, 5)])

    async def successor():
        async with work() as unit:
            await unit.progress.claim([Claim("readings", 0, 9, 12)])

    async with work() as unit:
        await unit.progress.claim([Claim("readings", 0, 5, 9)])
        waiting = asyncio.create_task(successor())
        await until_it_waits(waiting, bystander)
    await waiting

    async with work() as unit:
        assert await unit.progress.next_offsets([("readings", 0)]) == {("readings", 0): 12}


async def test_partitions_are_locked_in_their_order(work, bystander):
    for partition in (3, 2, 1):  # so that neither the table's order nor the claim's is the right one
        async with work() as unit:
            await unit.progress.claim([Claim("readings", partition, None, 0)])

    async def claim():
        async with work() as unit:
            await unit.progress.claim([Claim("readings", partition, 0, 1) for partition in (3, 2, 1)])

    async with bystander.transaction():
        await bystander.execute("SELECT FROM progress WHERE partition = 2 FOR UPDATE")
        waiting = asyncio.create_task(claim())
        await until_it_waits(waiting, bystander)
        free = await bystander.fetch("SELECT partition FROM progress ORDER BY 1 FOR UPDATE SKIP LOCKED")
    await waiting

    assert [row[0] for row in free] == [2, 3]


async def test_claims_in_opposite_order_do_not_deadlock(work):
    async with work() as unit:
        await unit.progress.claim([Claim("readings", partition, None, 0) for partition in range(20)])

    async def claim(partitions):
        async with work() as unit:
            await unit.progress.claim([Claim("readings", partition, 0, 1) for partition in partitions])

    outcomes = await asyncio.gather(claim(range(20)), claim(reversed(range(20))), return_exceptions=True)

    assert sorted(type(outcome) for outcome in outcomes if outcome) == [LostClaimError]
