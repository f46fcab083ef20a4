"""The stream breaker on a real database: whom it tells of a partition on which nothing can be used."""

from datetime import timedelta

import pytest

from domain.alarms import Priority
from domain.wards import INPUT_PAUSED
from tests.contract.worker.records import LANES, Record, a_batch, a_command
from worker.lanes import lane_of
from worker.stream_breaker import StreamBreaker
from worker.topics import TopicNames

LANE = lane_of("P-1", LANES)


class Paused:
    """As much of a consumer as is asked for a pause."""

    def __init__(self):
        self.partitions = []

    def pause(self, *partitions):
        self.partitions += partitions


@pytest.fixture
def breaker(pipeline, metrics):
    return StreamBreaker(
        pipeline, TopicNames(""), metrics, lambda _: None, budget=2, first_pause=timedelta(seconds=5)
    )


@pytest.mark.parametrize("partition", [LANE, LANE + LANES], ids=["of a lane", "added later"])
async def test_the_ward_whose_patients_are_on_the_partition_is_told(pipeline, breaker, bystander, partition):
    consumer = Paused()
    await pipeline.handle_batch(await a_batch(a_command(0, ward="7B", bed="12", mode="real")))
    breaker.note(await a_batch(*(Record(b"?", offset, partition=partition) for offset in range(2))))

    await breaker.trip(consumer)

    assert [place.partition for place in consumer.partitions] == [partition]
    told = await bystander.fetch("SELECT ward, rule_id, priority FROM alarms WHERE ended_at IS NULL")
    assert [tuple(row) for row in told] == [("7B", INPUT_PAUSED, Priority.HIGH)]
