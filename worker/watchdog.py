"""The watchdog: says when the worker cannot recover by itself, so that its supervisor starts it anew."""

from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer
from faststream.kafka.subscriber.usecase import BatchSubscriber

from worker.errors import ConsumerDeadError
from worker.internals import dead_part_of, has_consume_task, seconds_since_poll

SILENT_SECONDS = 120.0
"""The consumer is asked for records several times a second; a batch takes seconds at the most."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What the watchdog looks at."""

    dead_part: str | None
    is_consuming: bool
    seconds_since_poll: float


def signs_of(subscriber: BatchSubscriber, consumer: AIOKafkaConsumer, *, since_stored: float) -> Signs:
    """Read the signs of life off *subscriber* and its *consumer*.

    Nobody asks for records while a backlog is stored part by part: *since_stored*, the seconds since the
    last of them, then is the sign.
    """
    silent = min(seconds_since_poll(consumer), since_stored)
    return Signs(dead_part_of(consumer), has_consume_task(subscriber), silent)


def judge(signs: Signs) -> None:
    """Raise ConsumerDeadError if nothing will ever be consumed again.

    A database or a broker that is away is none of this: the consumer lives on and is polled.
    """
    if signs.dead_part is not None:
        raise ConsumerDeadError(f"the consumer's {signs.dead_part} has ended")
    if not signs.is_consuming:
        raise ConsumerDeadError("the consume loop has ended")
    if signs.seconds_since_poll > SILENT_SECONDS:
        raise ConsumerDeadError(
            f"nobody has asked the consumer for records in {signs.seconds_since_poll:.0f} s"
        )
