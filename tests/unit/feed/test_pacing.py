"""How fast a feed goes."""

import asyncio

from worker.feed.pacing import Pace


async def test_without_a_speed_nothing_is_waited_for():
    pace = Pace(speed_up=None)

    assert await pace.wait_for(0)
    assert await pace.wait_for(10**12)


async def test_the_feeds_clock_runs_so_many_times_as_fast_as_the_real_one():
    pace, loop = Pace(speed_up=1000), asyncio.get_running_loop()
    begun = loop.time()

    assert await pace.wait_for(5_000_000)
    assert await pace.wait_for(5_050_000)

    assert 0.05 <= loop.time() - begun < 1


async def test_what_falls_due_after_the_given_seconds_is_not_sent():
    pace = Pace(speed_up=1, seconds=0.02)

    assert await pace.wait_for(0)
    assert not await pace.wait_for(10_000)


async def test_it_ends_at_once_when_told_to_stop():
    pace = Pace(speed_up=1)
    await pace.wait_for(0)

    asyncio.get_running_loop().call_later(0.01, pace.stop.set)

    assert not await asyncio.wait_for(pace.wait_for(3_600_000), timeout=5)
    assert not await pace.wait_for(0)


async def test_a_moment_is_due_once_it_has_come():
    pace = Pace(speed_up=1)

    assert not pace.is_due(0)
    await pace.wait_for(1_000)
    assert pace.is_due(1_000)
    assert not pace.is_due(3_600_000)
