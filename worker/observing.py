"""What is looked at now and then, and shown as metrics and readiness; nothing is decided from it."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.alarms import Kind, Priority
from persistence.alarms import OpenAlarms
from persistence.errors import is_transient
from persistence.unit_of_work import UnitOfWork, unit_of_work
from worker.accounting import count_database_error
from worker.health import Health
from worker.intake import Intake
from worker.internals import seconds_since_poll
from worker.lanes import Lanes
from worker.observability.alarming import STANDING
from worker.observability.labels import CommitStatus, PauseReason
from worker.observability.metrics import Metrics
from worker.positions import Position, age_seconds, worst_age

_DATABASE_SECONDS = 5.0
_COMMIT_SECONDS = 3.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """Looks at the parts of the worker, one pass at a time."""

    engine: AsyncEngine
    intake: Intake
    lanes: Lanes
    metrics: Metrics
    health: Health

    async def memory_pass(self) -> None:
        """Show what is known without asking anybody."""
        keepers = list(self.lanes.keepers)
        positions = self.intake.positions
        consumer = self.intake.consumer
        self.health.assigned = 0 if consumer is None else len(consumer.assignment())
        self.health.recovered = len(positions)
        self.health.lanes_assigned = len(keepers)
        self.health.lanes_held = sum(keeper.is_held for keeper in keepers)
        self.health.lanes_stopped = {
            k.lane: k.stopped_because for k in keepers if k.stopped_because is not None
        }
        self.health.paused_for = self.intake.paused_for
        self.health.unusable = sorted(f"{each.topic}/{each.partition}" for each in self.intake.paused)
        self.health.unanswered = self.intake.unanswered()
        self._show_paused()
        self.metrics.consumer_assigned_partitions.set(self.health.assigned)
        self.metrics.lanes_held.set(self.health.lanes_held)
        beats = [keeper.publisher.heartbeat_at for keeper in keepers if keeper.publisher is not None]
        if beats:
            self.metrics.heartbeat_last_success_timestamp_seconds.set(min(beats))
        if consumer is not None:
            self.metrics.consumer_last_poll_timestamp_seconds.set(time.time() - seconds_since_poll(consumer))
        self.health.lag_seconds = None if consumer is None else self._show_lag(consumer, positions)
        self.metrics.ready.set(not self.health.reasons())

    def _show_paused(self) -> None:
        """Show how many partitions are not read from: all while we wait, or those the broker says nothing of."""
        for reason in (PauseReason.DATABASE, PauseReason.BROKER):
            is_unanswered = reason is PauseReason.BROKER and self.health.unanswered
            paused = self.health.assigned if reason == self.health.paused_for else 0
            self.metrics.consumer_paused.labels(reason=reason).set(is_unanswered or paused)

    def _show_lag(
        self, consumer: AIOKafkaConsumer, positions: Mapping[TopicPartition, Position]
    ) -> float | None:
        """Show how far each partition is behind; returns how far the worst is, in seconds."""
        now_ms = time.time() * 1000
        ages = []
        for partition in consumer.assignment():
            position, end = positions.get(partition), consumer.highwater(partition)
            age = age_seconds(position, end, now_ms)
            ages.append(age)
            if position is None or end is None:
                continue
            labels = {"topic": partition.topic, "partition": str(partition.partition)}
            self.metrics.consumer_lag_records.labels(**labels).set(max(0, end - position.expected))
            self.metrics.consumer_lag_seconds.labels(**labels).set(age or 0.0)
        return worst_age(ages)

    async def database_pass(self) -> None:
        """Show what only the database knows: whether it answers, what waits to be published, open alarms."""
        try:
            async with asyncio.timeout(_DATABASE_SECONDS), unit_of_work(self.engine) as work:
                await self._show_outbox(work)
                await self._show_alarms(work)
        except Exception as error:
            if not is_transient(error):
                raise
            self.health.database_reachable = False
            count_database_error(self.metrics, error)
        else:
            self.health.database_reachable = True

    async def _show_outbox(self, work: UnitOfWork) -> None:
        published = {k.lane: k.publisher.cursor.seq for k in self.lanes.keepers if k.is_held and k.publisher}
        backlog = await work.outbox.backlog(published) if published else {}
        for lane, waiting in backlog.items():
            self.metrics.outbox_pending.labels(lane=str(lane)).set(waiting.pending)
        oldest = [waiting.oldest_at for waiting in backlog.values() if waiting.oldest_at is not None]
        age = max(0.0, (datetime.now(UTC) - min(oldest)).total_seconds()) if oldest else 0.0
        self.health.oldest_unsent_seconds = age
        self.metrics.outbox_oldest_age_seconds.set(age)

    async def _show_alarms(self, work: UnitOfWork) -> None:
        lanes = [keeper.lane for keeper in self.lanes.keepers]
        counted = await work.alarms.count_open(lanes) if lanes else {}
        for priority, kind, state in product(Priority, Kind, STANDING):
            number = counted.get(OpenAlarms(kind=kind, priority=priority, state=state), 0)
            self.metrics.alarms_active.labels(priority=priority.word, kind=kind, state=state).set(number)

    async def commit_pass(self) -> None:
        """Commit how far we are to the group, so that any tool can see the lag; nothing reads it back."""
        consumer = self.intake.consumer
        positions = self.intake.positions
        if consumer is None or not positions:
            return
        offsets = {partition: OffsetAndMetadata(at.expected, "") for partition, at in positions.items()}
        status = CommitStatus.FAILED
        with suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(_COMMIT_SECONDS):
                await consumer.commit(offsets)
            status = CommitStatus.OK
        self.metrics.consumer_commit.labels(status=status).inc()
