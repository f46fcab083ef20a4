"""A pass over the timers on a real database: only what is ours when the turn comes is ticked."""

import asyncio
from dataclasses import replace

from tests.contract.worker.records import LANES, START_MS, a_batch, a_set
from worker.timers import Sight, Timers

LATER_MS = START_MS + 3_600_000


async def test_a_lane_that_was_lost_while_the_turn_was_waited_for_is_not_ticked(pipeline, metrics, bystander):
    monitor = [
        replace(record, value=record.value.replace(b"spot_check", b"continuous"))
        for record in (a_set(n, n * 5, heart_rate=80) for n in range(6))
    ]
    await pipeline.handle_batch(await a_batch(*monitor))
    ours, turn = set(range(LANES)), asyncio.Lock()
    timers = Timers(
        pipeline=pipeline,
        metrics=metrics,
        turn=turn,
        sights=lambda: [
            Sight(caught_up_ms=LATER_MS, received_ms=None)
        ],  # of the partitions that are ours by then
        lanes=lambda: ours,
        wake=lambda lanes: None,
    )
    async with turn:
        waiting = asyncio.create_task(timers.timers_pass())
        await asyncio.sleep(0)
        ours.clear()

    assert await waiting == 0
    assert await bystander.fetchval("SELECT count(*) FROM ticks") == 0
    ours.update(range(LANES))
    assert await timers.timers_pass() == 1
