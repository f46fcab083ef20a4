"""A running worker: its parts made and wired, started in order, watched, and ended in order."""

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version as version_of

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from faststream.kafka.subscriber.usecase import BatchSubscriber
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.protocol import Protocol
from persistence.outbox import OutgoingRecord
from worker.assignors import Assignment
from worker.connections import client_arguments
from worker.errors import WorkerError
from worker.health import Health
from worker.intake import Intake
from worker.lanes import Lanes
from worker.messages.heartbeats import Heartbeat, heartbeat_record
from worker.observability.labels import RebalanceEvent
from worker.observability.metrics import Metrics
from worker.observing import Observer
from worker.pipeline import Pipeline
from worker.publisher import Publishing
from worker.settings import Settings
from worker.stream_breaker import StreamBreaker
from worker.subscribers import Listener, make_broker, subscribe
from worker.timers import Timers
from worker.topics import Layout, TopicNames
from worker.watchdog import judge, signs_of
from worker.watching import WATCH_SECONDS, Watching

_RETRY_BACKOFF_MS = 5  # between a lane's transactions, one right after the other
_LOOK_SECONDS = 1.0
_LARGEST_BATCH = 16_384
_LOOK_AT_DATABASE_SECONDS = 5.0

log = structlog.get_logger(__name__)


class Worker:
    """All parts of a running worker, wired."""

    def __init__(  # noqa: PLR0913  the root is where all parts meet
        self,
        settings: Settings,
        protocol: Protocol,
        engine: AsyncEngine,
        *,
        layout: Layout,
        metrics: Metrics,
        health: Health,
    ) -> None:
        self._settings, self._protocol, self._metrics, self._health = settings, protocol, metrics, health
        self._names, self._lane_count = TopicNames(settings.topic_prefix), layout.lanes
        self._instance = settings.instance_id or f"{socket.gethostname()}-{os.getpid()}"
        self._pipeline = self._pipeline_on(engine)
        self._lanes = Lanes(self._publishing(engine))
        self._intake = Intake(self._pipeline, self._names, metrics, self._lanes.wake, self._breaker())
        self._timers = Timers(
            pipeline=self._pipeline,
            metrics=metrics,
            turn=self._intake.turn,
            sights=self._intake.sights,
            lanes=self._assigned_lanes,
            wake=self._lanes.wake,
        )
        self._observer = Observer(
            engine=engine, intake=self._intake, lanes=self._lanes, metrics=metrics, health=health
        )
        self._assignment = Assignment(
            self._names.inputs, layout.inputs, is_named=settings.instance_id is not None
        )
        self._watching = Watching(
            engine=engine, metrics=metrics, keepers=lambda: self._lanes.keepers, intake=self._intake
        )
        self._broker = make_broker(settings, metrics.registry)
        self._subscriber = self._subscribed()
        self._intake.source = self._subscriber

    def _pipeline_on(self, engine: AsyncEngine) -> Pipeline:
        return Pipeline(
            engine=engine,
            protocol=self._protocol,
            lanes=self._lane_count,
            site=self._settings.site,
            group=self._settings.group,
            version=version_of("vigil-alerting"),
        )

    def _breaker(self) -> StreamBreaker:
        return StreamBreaker(
            self._pipeline,
            self._names,
            self._metrics,
            self._lanes.wake,
            budget=self._settings.stream_budget,
            first_pause=timedelta(seconds=self._settings.stream_pause),
        )

    def _subscribed(self) -> BatchSubscriber:
        listener = Listener(
            on_assigned=self._on_assigned, on_revoked=self._on_revoked, turn=self._intake.turn
        )
        return subscribe(
            self._broker,
            self._settings,
            self._names,
            take=self._intake.take,
            listener=listener,
            assignors=self._assignment.assignors,
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop, or until a part cannot go on; then end in good order either way."""
        self._metrics.expect_topics(self._names.inputs)
        tasks: list[asyncio.Task[None]] = []
        try:
            await self._start(stop)
            await (
                self._observer.memory_pass()
            )  # else it would be ready until the first look at its partitions
            self._health.waiting_for = None
            if self._health.broker_was_away:
                self._intake.contact.was_away(time.time())
            log.info(
                "worker_started", protocol=self._protocol.protocol_id, protocol_hash=self._protocol.digest
            )
            tasks = [asyncio.create_task(work, name=name) for name, work in self._loops(stop)]
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        finally:
            await self._end(tasks)

    async def _start(self, stop: asyncio.Event) -> None:
        """Start consuming; a broker that goes away right now is waited for."""
        while not stop.is_set():
            try:
                await self._broker.start()
            except (KafkaError, OSError) as error:
                log.warning("consumer_not_started", error=type(error).__name__)
                await self._broker.stop()
                await asyncio.sleep(_LOOK_SECONDS)
            else:
                return

    def _loops(self, stop: asyncio.Event) -> Iterator[tuple[str, Coroutine[None, None, None]]]:
        """Everything that goes on until the worker ends; the first that ends, ends it."""
        often, seldom = _LOOK_SECONDS, _LOOK_AT_DATABASE_SECONDS
        yield "stop", _until(stop)
        yield "recovery", self._intake.keep_recovered()
        for name, seconds, one_pass in (
            ("timers", self._settings.timer_interval, self._timers.timers_pass),
            ("paused input", often, self._intake.look_pass),
            ("suspects", seldom, self._pipeline.know_suspects),
            ("reconcile", seldom, partial(self._intake.reconcile_pass, idle_seconds=seldom)),
            ("commit", seldom, self._observer.commit_pass),
            ("watch", WATCH_SECONDS, self._watching.watch_pass),
            ("look", often, self._observer.memory_pass),
            ("database", seldom, self._observer.database_pass),
            ("watchdog", often, self._watch),
        ):
            yield name, _every(seconds, one_pass, name)

    async def _end(self, tasks: Iterable[asyncio.Task[None]]) -> None:
        """Stop intake, finish the batch, publish what is committed, leave the group."""
        self._health.is_stopping = self._intake.is_closing = True
        budget = self._settings.shutdown_timeout
        log.info("worker_stopping")
        for task in tasks:
            task.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(budget * 0.35), self._intake.turn:
                pass
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(TimeoutError, KafkaError):
            async with asyncio.timeout(budget * 0.1):
                await self._observer.commit_pass()
        await self._lanes.drain(budget * 0.35)
        with suppress(TimeoutError, KafkaError):
            async with asyncio.timeout(budget * 0.2):
                await self._broker.stop()

    async def _watch(self) -> None:
        consumer = self._intake.consumer
        if consumer is not None:
            judge(signs_of(self._subscriber, consumer, since_stored=self._intake.seconds_since_stored))
            self._assignment.look(consumer)
            self._metrics.watchdog_last_pass_timestamp_seconds.set(time.time())

    def _on_assigned(self, partitions: Iterable[TopicPartition]) -> None:
        self._metrics.consumer_rebalances.labels(event=RebalanceEvent.ASSIGNED).inc()
        self._intake.assigned(partitions)
        held = {p.partition for p in partitions if p.topic == self._names.readings}
        if beyond := {n for n in held if n >= self._lane_count}:
            log.warning("more_partitions_than_lanes", partitions=sorted(beyond), lanes=self._lane_count)
        self._lanes.assign(held - beyond)  # the patients in those keep their lanes, whoever holds them

    def _on_revoked(self, partitions: Iterable[TopicPartition]) -> None:
        self._metrics.consumer_rebalances.labels(event=RebalanceEvent.REVOKED).inc()
        self._intake.revoked()
        self._lanes.suspend()
        for partition in partitions:
            with suppress(KeyError):
                self._metrics.forget_partition(partition.topic, partition.partition)

    def _assigned_lanes(self) -> list[int]:
        return [keeper.lane for keeper in self._lanes.keepers]

    def _publishing(self, engine: AsyncEngine) -> Publishing:
        settings = self._settings
        return Publishing(
            engine=engine,
            names=self._names,
            group=settings.group,
            metrics=self._metrics,
            make_producer=self._producer,
            heartbeat=self._heartbeat,
            heartbeat_interval=settings.heartbeat_interval,
        )

    def _producer(self, lane: int, largest: int) -> AIOKafkaProducer:
        settings = self._settings
        return AIOKafkaProducer(
            **client_arguments(settings),
            transactional_id=f"{settings.group}.{lane}",
            enable_idempotence=True,
            acks="all",
            linger_ms=0,
            max_batch_size=min(_LARGEST_BATCH, largest),  # no batch may be larger than a record
            retry_backoff_ms=_RETRY_BACKOFF_MS,
            transaction_timeout_ms=int(settings.transaction_timeout * 1000),
        )

    def _heartbeat(self, lane: int, published_seq: int, last_seq: int) -> OutgoingRecord:
        key, value, headers = heartbeat_record(
            Heartbeat(
                lane=lane,
                published_seq=published_seq,
                last_seq=last_seq,
                instance=self._instance,
                protocol_hash=self._protocol.digest,
                is_degraded=bool(self._health.reasons()),
                lag_seconds=self._health.lag_seconds,
                at=datetime.now(UTC),
                patients=self._watching.counted.get(lane),
            )
        )
        return OutgoingRecord(topic="heartbeat", key=key, value=value, headers=headers)


async def _until(event: asyncio.Event) -> None:
    await event.wait()


async def _every(seconds: float, one_pass: Callable[[], Awaitable[object]], name: str) -> None:
    """Call *one_pass* again and again; an error that is not the end of the worker is logged, and it goes on."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await one_pass()
        except WorkerError:
            raise
        except Exception as error:  # noqa: BLE001  the next pass may fare better; the log and metrics show it
            log.warning("pass_failed", what=name, error=type(error).__name__)
