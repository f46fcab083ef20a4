"""How far an input partition has been seen: what the timers go by, and whether anybody is watched."""

import time

from aiokafka import AIOKafkaConsumer, TopicPartition

from worker.internals import position_of
from worker.positions import Position
from worker.timers import Sight


def sight_of(
    consumer: AIOKafkaConsumer,
    partition: TopicPartition,
    position: Position | None,
    *,
    is_in_hand: bool,
    is_paused: bool,
) -> Sight:
    """How far *partition* has been seen, worked through up to *position*; records *is_in_hand* of are not yet."""
    if position is None:
        return Sight(None, None)
    if is_paused:  # its patients' time goes on: what is silent to us is told as silent
        return Sight(caught_up_ms=int(time.time() * 1000), received_ms=position.received_ms)
    highwater, reached = consumer.highwater(partition), position_of(consumer, partition)
    is_caught_up = not is_in_hand and highwater is not None and reached is not None and reached >= highwater
    return Sight(
        caught_up_ms=consumer.last_poll_timestamp(partition) if is_caught_up else None,
        received_ms=position.received_ms,
    )
