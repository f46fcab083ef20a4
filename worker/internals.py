"""What we reach into aiokafka and FastStream for; all of it in one place, held to the pinned versions by a test."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError
from aiokafka.protocol.admin import ApiVersionRequest

_CLOSE_SECONDS = 2.0
_FETCH = 1  # its number in the protocol


def dead_part_of(consumer: AIOKafkaConsumer) -> str | None:
    """Which of the tasks without which nothing is consumed any more has ended; None if all live."""
    parts = {
        "group coordination": consumer._coordinator._coordination_task,  # noqa: SLF001
        "fetching": consumer._fetcher._fetch_task,  # noqa: SLF001
    }
    return next((name for name, task in parts.items() if task is None or task.done()), None)


def position_of(consumer: AIOKafkaConsumer, partition: TopicPartition) -> int | None:
    """Where the consumer reads on, None while it does not know; `position()` would wait for it."""
    state = consumer._subscription.subscription.assignment.state_value(partition)  # noqa: SLF001
    return int(state.position) if state is not None and state.has_valid_position else None


def seconds_since_poll(consumer: AIOKafkaConsumer) -> float:
    """How long nobody has asked the consumer for records."""
    return float(consumer._subscription.fetcher_idle_time)  # noqa: SLF001


def partitions_known(consumer: AIOKafkaConsumer, topics: Iterable[str]) -> tuple[int, ...]:
    """How many partitions each of *topics* has, as the consumer has heard last."""
    cluster = consumer._client.cluster  # noqa: SLF001
    return tuple(len(cluster.partitions_for_topic(topic) or ()) for topic in topics)


def join_again(consumer: AIOKafkaConsumer, assignors: Sequence[type[RangePartitionAssignor]]) -> None:
    """Offer the group *assignors* from now on, and ask for a new assignment; does not wait."""
    coordinator = consumer._coordinator  # noqa: SLF001
    coordinator._assignors = assignors  # noqa: SLF001
    coordinator.request_rejoin()


def has_consume_task(subscriber: Any) -> bool:  # noqa: ANN401 (FastStream's subscriber of any kind)
    """Whether FastStream's consume loop lives."""
    return any(not task.done() for task in subscriber.tasks)


async def discard(producer: AIOKafkaProducer) -> None:
    """Throw *producer* away at once, sending nothing more and settling nothing.

    `stop()` would first send what is still queued, and wait for it without bound. An open transaction is
    left as it is: the lane's next producer aborts it when it starts.
    """
    producer._closed = True  # noqa: SLF001
    sender = producer._sender.sender_task  # noqa: SLF001
    if sender is not None:
        sender.cancel()
    with suppress(asyncio.CancelledError, TimeoutError, KafkaError, OSError):
        async with asyncio.timeout(_CLOSE_SECONDS):
            if sender is not None:
                await asyncio.wait([sender])
            await producer.client.close()


async def oldest_fetch_version(admin: AIOKafkaAdminClient) -> int:
    """The oldest version of the fetch request that the broker still speaks."""
    client = admin._client  # noqa: SLF001
    response = await client.send(client.get_random_node(), ApiVersionRequest())
    return int(next(oldest for key, oldest, _ in response.api_versions if key == _FETCH))
