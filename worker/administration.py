"""What an operator does to broker and database beside running the worker."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from sqlalchemy.ext.asyncio import AsyncEngine

from persistence import maintenance, schema
from persistence.unit_of_work import unit_of_work
from worker import startup
from worker.connections import client_arguments
from worker.cursors import read_cursor
from worker.errors import OperatorError
from worker.settings import Settings
from worker.startup import Patience
from worker.topics import TopicNames, TopicReport, create_topics


async def make_topics(settings: Settings, wait: float) -> list[TopicReport]:
    """Make the topics that are missing, and tell how each stands."""
    async with startup.connected_admin(settings, Patience(wait)) as admin:
        return await create_topics(
            admin,
            TopicNames(settings.topic_prefix),
            partitions=settings.partitions,
            replication_factor=settings.replication_factor,
        )


async def upgrade_database(settings: Settings, wait: float) -> str:
    """Bring the schema to its head; returns the revision."""
    async with startup.connected_database(settings, Patience(wait)):
        await asyncio.to_thread(schema.upgrade, settings.database_url.get_secret_value())
    return schema.head()


async def check_database(settings: Settings, wait: float) -> None:
    """Raise OperatorError unless the database is as it must be."""
    async with startup.connected_database(settings, Patience(wait)) as engine:
        await startup.check_database(engine, settings)


async def maintain_database(
    settings: Settings, wait: float, *, months_ahead: int, is_pruning: bool
) -> maintenance.Report:
    """Make partitions, and remove published records from the outbox if *is_pruning*."""
    async with startup.connected_database(settings, Patience(wait)) as engine:
        await startup.check_database(engine, settings)
        published = await _published(settings, engine, wait) if is_pruning else None
        return await maintenance.maintain(
            engine, now=datetime.now(UTC), months_ahead=months_ahead, published=published
        )


async def _published(settings: Settings, engine: AsyncEngine, wait: float) -> Mapping[int, int]:
    """The cursor of each lane, where it and the database agree. Raises OperatorError where they do not."""
    names = TopicNames(settings.topic_prefix)
    begun = await startup.lanes_begun(engine)
    async with startup.connected_admin(settings, Patience(wait)) as admin:
        lanes = (await startup.check_broker(admin, names, begun)).lanes
    client = AIOKafkaClient(**client_arguments(settings))
    await client.bootstrap()
    try:
        cursors = {
            lane: await read_cursor(client, settings.group, TopicPartition(names.alerts, lane))
            for lane in range(lanes)
        }
    finally:
        await client.close()
    async with unit_of_work(engine) as work:
        for lane, cursor in cursors.items():
            if (
                cursor is not None
                and cursor.seq
                and await work.outbox.nonce_of(lane, cursor.seq) != cursor.nonce
            ):
                raise OperatorError(
                    f"lane {lane}: what was published and what is stored do not fit; nothing was removed; run "
                    f"`vigil lanes repair {lane}`"
                )
    return {lane: cursor.seq for lane, cursor in cursors.items() if cursor is not None}
