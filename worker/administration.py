"""What an operator does to broker and database beside running the worker."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto

import structlog
from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from persistence import maintenance, retention, schema
from persistence.errors import ErrorClass, classify
from persistence.unit_of_work import unit_of_work
from worker import startup
from worker.connections import client_arguments
from worker.cursors import read_cursor
from worker.errors import OperatorError, UnreachableError
from worker.settings import Settings
from worker.startup import Patience
from worker.topics import TopicNames, TopicReport, create_topics

_PAUSE_SECONDS = 1.0  # between two tries of an upgrade

log = structlog.get_logger(__name__)


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
    """Bring the schema to its head; returns the revision. Raises UnreachableError while somebody holds a table.

    A migration waits two seconds for a lock, so that workers never wait long behind it; it is tried again.
    """
    async with startup.connected_database(settings, Patience(wait)):
        url, deadline = settings.database_url.get_secret_value(), time.monotonic() + wait
        while True:
            try:
                await asyncio.to_thread(schema.upgrade, url)
            except DBAPIError as error:
                if classify(error) is not ErrorClass.TIMEOUT:
                    raise
            else:
                return schema.head()
            if time.monotonic() > deadline:
                raise UnreachableError(
                    f"the schema could not be upgraded in {wait:g} s: somebody holds a table that a migration changes "
                    "(a backup, a transaction left open?); run it again, or with a longer --wait"
                )
            log.warning("upgrade_waits", what="a table that somebody holds")
            await asyncio.sleep(_PAUSE_SECONDS)


async def check_database(settings: Settings, wait: float) -> None:
    """Raise OperatorError unless the database is as it must be."""
    async with startup.connected_database(settings, Patience(wait)) as engine:
        await startup.check_database(engine, settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """What a run of `vigil db maintain` has done; *removed* is None where nothing was to be removed."""

    made: maintenance.Report
    removed: retention.Removed | None


class Pruning(Enum):
    """What may be removed."""

    NOTHING = auto()
    AGED = auto()  # what is past its age
    PUBLISHED = auto()  # beside it, whatever has been published


async def maintain_database(
    settings: Settings, wait: float, *, months_ahead: int, pruning: Pruning
) -> Upkeep:
    """Make partitions; then remove what may go. The months come first: they need no broker, and intake needs them."""
    now = datetime.now(UTC)
    async with startup.connected_database(settings, Patience(wait)) as engine:
        await startup.check_database(engine, settings)
        made = await maintenance.maintain(engine, now=now, months_ahead=months_ahead)
        if pruning is Pruning.NOTHING:
            return Upkeep(made=made, removed=None)
        published = await _published(settings, engine, wait)
        limits = limits_at(now, settings, is_pruning=pruning is Pruning.PUBLISHED)
        return Upkeep(made=made, removed=await retention.expire(engine, limits, published))


def limits_at(now: datetime, settings: Settings, *, is_pruning: bool) -> retention.Limits:
    """Before which moment what may go."""
    outgoing = now - timedelta(days=settings.keep_outgoing_days)
    return retention.Limits(
        readings=now - timedelta(days=settings.keep_readings_days),
        history=now - timedelta(days=settings.keep_history_days),
        outgoing=None if is_pruning else outgoing,
        noted=outgoing,
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
