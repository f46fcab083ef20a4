"""A lane's heartbeat goes the way of its alerts: it comes while they could, and stops when they cannot."""

from dataclasses import replace

import pytest

from worker.errors import LaneStoppedError
from worker.publisher import LanePublisher


@pytest.fixture
async def publisher(desk):
    """A publisher whose heartbeat is always due."""
    desk.made.append(LanePublisher(0, replace(desk.shared, heartbeat_interval=0.0)))
    return desk.made[-1]


async def test_a_lane_with_nothing_to_say_says_that_it_lives(publisher, names, read):
    await publisher.take()

    for _ in range(3):
        await publisher.publish_pass()

    assert [record.key for record in await read(names.heartbeat)] == [b"0"] * 4
    assert await read(names.alerts) == []


async def test_a_lane_whose_alerts_cannot_go_out_gives_no_sign_of_life(
    publisher, append, bystander, names, read
):
    await append("a", "b", "c")
    await publisher.take()
    await bystander.execute("DELETE FROM outbox WHERE seq = 2")

    with pytest.raises(LaneStoppedError):
        await publisher.publish_pass()

    assert len(await read(names.heartbeat)) == 1  # that of the taking
