"""The subscriber: both input topics in one consumer, whole batches, raw records handed on; it decides nothing."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

import structlog
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import FAKE_CONSUMER, KafkaMessage
from faststream.kafka.prometheus import KafkaPrometheusMiddleware
from faststream.kafka.subscriber.usecase import BatchSubscriber
from prometheus_client import CollectorRegistry

from worker import lenient_records
from worker.connections import security_of
from worker.settings import Settings
from worker.topics import TopicNames

POLL_TIMEOUT_MS = 5
_FETCH_MAX_WAIT_MS = 100  # a partition that was left out of a long poll waits for its end
_FETCH_MAX_BYTES = 8 * 2**20
_REVOKE_SECONDS = 2.0
_METADATA_MS = 30_000  # a partition that is added is not read from for so long; five minutes by default

Records = Sequence[ConsumerRecord[bytes, bytes]]


def make_broker(settings: Settings, registry: CollectorRegistry) -> KafkaBroker:
    """FastStream's broker, for consuming only: what goes out goes through the lanes' own producers.

    Its middleware counts batches and their records in *registry*. It costs nothing for each record: to measure
    sizes it would join all bodies, but `parse` gives it none.
    """
    lenient_records.install()
    logging.getLogger("faststream").setLevel(logging.ERROR)  # below that it says what we say ourselves
    return KafkaBroker(
        settings.kafka_bootstrap_servers.split(","),
        security=security_of(settings),
        consumer_only=True,
        metadata_max_age_ms=_METADATA_MS,
        allow_auto_create_topics=False,  # FastStream would make them with one partition
        apply_types=False,
        middlewares=[KafkaPrometheusMiddleware(registry=registry, app_name="vigil")],
        graceful_timeout=settings.shutdown_timeout / 2,
        logger=structlog.get_logger("faststream"),
        log_level=logging.DEBUG,
    )


def subscribe(  # noqa: PLR0913  all that makes a subscriber
    broker: KafkaBroker,
    settings: Settings,
    names: TopicNames,
    *,
    take: Callable[[Records], Awaitable[None]],
    listener: ConsumerRebalanceListener,
    assignors: Sequence[type[RangePartitionAssignor]],
) -> BatchSubscriber:
    """Declare the one subscriber; what it is handed goes to *take*, which must not raise.

    Nothing is committed and nothing set back by FastStream: where work goes on is decided elsewhere.
    """
    subscriber = broker.subscriber(
        *names.inputs,
        batch=True,
        max_records=settings.batch_max_records,
        batch_timeout_ms=POLL_TIMEOUT_MS,
        ack_policy=AckPolicy.MANUAL,
        group_id=settings.group,
        group_instance_id=settings.instance_id,
        partition_assignment_strategy=assignors,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        session_timeout_ms=int(settings.session_timeout * 1000),
        heartbeat_interval_ms=int(settings.session_timeout * 1000 / 4),
        rebalance_timeout_ms=int(settings.session_timeout * 1000),
        fetch_max_wait_ms=_FETCH_MAX_WAIT_MS,
        fetch_max_bytes=_FETCH_MAX_BYTES,
        listener=listener,
        parser=parse,
        decoder=raw_records,
        no_reply=True,  # a producer's `reply_to` must not choose where we publish
        title="Readings and commands",
    )

    @subscriber
    async def handle(records: Records) -> None:
        await take(records)

    return subscriber


async def parse(records: Any) -> KafkaMessage:  # noqa: ANN401 (FastStream hands over a tuple of records)
    """Wrap the batch and look at nothing in it: headers are a producer's, and may be any bytes."""
    return KafkaMessage(raw_message=records, body=b"", headers={}, consumer=FAKE_CONSUMER)


async def raw_records(message: KafkaMessage) -> Any:  # noqa: ANN401
    """Hand the records on as they came."""
    return message.raw_message


class Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Passes on what the coordinator says. Only revocation waits, and not for long."""

    # pylint: disable=invalid-overridden-method  # aiokafka awaits what is a coroutine

    def __init__(
        self,
        *,
        on_assigned: Callable[[Iterable[TopicPartition]], None],
        on_revoked: Callable[[Iterable[TopicPartition]], None],
        turn: asyncio.Lock,
    ) -> None:
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._turn = turn

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Let the batch under way finish: its claim would be lost to the next owner otherwise."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_REVOKE_SECONDS), self._turn:
                pass
        self._on_revoked(revoked)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Say it on at once, without awaiting: records may be handed out before this returns."""
        self._on_assigned(assigned)
