"""A pipeline on a real database, a lane on a real broker, both of the test's own."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import asyncpg
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from prometheus_client import CollectorRegistry

from persistence.engine import create_engine
from persistence.outbox import OutgoingRecord
from persistence.unit_of_work import unit_of_work
from worker.observability.metrics import Metrics
from worker.pipeline import Pipeline
from worker.protocols import load_protocol
from worker.publisher import LanePublisher, Publishing
from worker.topics import TopicNames, create_topics

from tests.contract.worker.records import LANES  # isort: skip


@pytest.fixture(autouse=True)
def _plain_log(plain_log):
    """Drawn with every local variable a traceback takes longer than a transaction may idle."""


@pytest.fixture
async def engine(database_url) -> AsyncIterator:
    engine = create_engine(database_url)
    async with unit_of_work(engine) as work:
        await work.lanes.ensure(LANES)
    yield engine
    await engine.dispose()


@pytest.fixture
async def bystander(database_url) -> AsyncIterator[asyncpg.Connection]:
    """A plain connection that sees what is committed and nothing else."""
    connection = await asyncpg.connect(database_url.replace("postgresql+asyncpg://", "postgresql://"))
    yield connection
    await connection.close()


@pytest.fixture
def protocol():
    return load_protocol("ward-adult")


@pytest.fixture
def pipeline(engine, protocol):
    return Pipeline(engine=engine, protocol=protocol, lanes=LANES, site="here", group="g", version="1")


@pytest.fixture
async def names(kafka_bootstrap, topic_prefix):
    names = TopicNames(topic_prefix)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    await create_topics(admin, names, partitions=LANES, replication_factor=1)
    yield names
    await admin.delete_topics(list(names.all))
    await admin.close()


@pytest.fixture
def metrics():
    return Metrics(CollectorRegistry())


@dataclass
class Desk:
    """Makes publishers of one group, and throws away what a test leaves open."""

    shared: Publishing
    bootstrap: str
    made: list[LanePublisher] = field(default_factory=list)

    def publisher(self, lane=0):
        self.made.append(LanePublisher(lane, self.shared))
        return self.made[-1]


@pytest.fixture
async def desk(engine, names, group, kafka_bootstrap, metrics):
    def producer(lane, largest):
        return AIOKafkaProducer(
            bootstrap_servers=kafka_bootstrap,
            transactional_id=f"{group}.{lane}",
            retry_backoff_ms=20,
            max_batch_size=min(16_384, largest),
            transaction_timeout_ms=10_000,
        )

    def heartbeat(lane, published, last):
        value = orjson.dumps({"published_seq": published, "last_seq": last})
        return OutgoingRecord(topic="heartbeat", key=str(lane).encode(), value=value)

    desk = Desk(
        Publishing(
            engine=engine,
            names=names,
            group=group,
            metrics=metrics,
            make_producer=producer,
            heartbeat=heartbeat,
            heartbeat_interval=3600,
        ),
        kafka_bootstrap,
    )
    yield desk
    for publisher in desk.made:
        await publisher.discard()


def outgoing(text, topic="alerts"):
    return OutgoingRecord(topic=topic, key=b"P-1", value=text.encode(), headers=(("ce_id", text.encode()),))


@pytest.fixture
def append(engine):
    async def append(*texts, lane=0, topic="alerts"):
        async with unit_of_work(engine) as work:
            await work.outbox.append({lane: [outgoing(text, topic) for text in texts]})

    return append


@pytest.fixture
def read(kafka_bootstrap):
    """Reads all that is committed in one partition of *topic*."""

    async def read(topic, partition=0):
        consumer = AIOKafkaConsumer(
            bootstrap_servers=kafka_bootstrap, isolation_level="read_committed", enable_auto_commit=False
        )
        await consumer.start()
        try:
            place = TopicPartition(topic, partition)
            consumer.assign([place])
            await consumer.seek_to_beginning(place)
            end = (await consumer.end_offsets([place]))[place]
            records = []
            async with asyncio.timeout(20):
                while await consumer.position(place) < end:
                    for some in (await consumer.getmany(timeout_ms=100)).values():
                        records.extend(some)
            return records
        finally:
            await consumer.stop()

    return read
