"""Send a feed to the input topics, in order, and count what the broker acknowledged."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError

from worker.connections import client_arguments
from worker.errors import OperatorError, UnreachableError
from worker.feed.pacing import Pace
from worker.feed.records import FeedRecord, headers_of, json_line, key_of, topic_of, value_of
from worker.feed.tally import Tally
from worker.settings import Settings
from worker.topics import TopicNames, describe_topics

_IN_FLIGHT = 2_000  # records sent and not yet acknowledged
_STOP_SECONDS = 10.0

Progress = Callable[[FeedRecord], None]


@asynccontextmanager
async def feeding(settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    """Lend a producer that keeps each patient's order; what it was given is out when the block ends.

    Raises UnreachableError without a broker, OperatorError without the input topics.
    """
    await _check_topics(settings)
    producer = AIOKafkaProducer(
        **client_arguments(settings), enable_idempotence=True, acks="all", linger_ms=2
    )
    try:
        await producer.start()
        yield producer
    except KafkaError as error:
        raise UnreachableError(f"the broker took no more records: {type(error).__name__}") from error
    finally:
        async with asyncio.timeout(_STOP_SECONDS):
            await producer.stop()


async def _check_topics(settings: Settings) -> None:
    """A producer would wait long for a topic that is not there, and then say little."""
    names = TopicNames(settings.topic_prefix)
    admin = AIOKafkaAdminClient(**client_arguments(settings))
    try:
        await admin.start()
        there = await describe_topics(admin, names)
    except KafkaConnectionError as error:
        servers = settings.kafka_bootstrap_servers
        raise UnreachableError(
            f"no broker answers at {servers}; start it or set VIGIL_KAFKA_BOOTSTRAP_SERVERS"
        ) from error
    finally:
        await admin.close()
    missing = [topic for topic in names.inputs if topic not in there]
    if missing:
        raise OperatorError(f"missing topic: {', '.join(missing)}; make it with `vigil topics create`")


async def send(
    records: Iterable[FeedRecord],
    producer: AIOKafkaProducer,
    topics: TopicNames,
    pace: Pace,
    progress: Progress,
) -> Tally:
    """Send *records* as they fall due; the tally holds what was acknowledged.

    Raises what the broker refused with: then at least one record is not in the log.
    """
    tally = Tally()
    in_flight: list[asyncio.Future[object]] = []
    for record in records:
        if not pace.is_due(record.due_ms):
            await _settle(in_flight)
        if not await pace.wait_for(record.due_ms):
            break
        in_flight.append(await _send_one(record, producer, topics))
        tally.count(record)
        progress(record)
        if len(in_flight) >= _IN_FLIGHT:
            await _settle(in_flight)
    await _settle(in_flight)
    return tally


def write(records: Iterable[FeedRecord], out: Path, topics: TopicNames, progress: Progress) -> Tally:
    """Write *records* into *out* as lines of JSON instead of sending them. Raises OperatorError."""
    tally = Tally()
    try:
        with out.open("wb") as lines:
            for record in records:
                lines.write(json_line(record, topics))
                tally.count(record)
                progress(record)
    except OSError as error:
        raise OperatorError(f"{out}: cannot be written: {error.strerror}") from error
    return tally


async def _send_one(
    record: FeedRecord, producer: AIOKafkaProducer, topics: TopicNames
) -> asyncio.Future[object]:
    acknowledged: asyncio.Future[object] = await producer.send(
        topic_of(record, topics), value_of(record), key=key_of(record), headers=headers_of(record)
    )
    return acknowledged


async def _settle(in_flight: list[asyncio.Future[object]]) -> None:
    await asyncio.gather(*in_flight)
    in_flight.clear()
