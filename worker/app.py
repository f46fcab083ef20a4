"""The composition root: everything is made here, started in order, watched, and ended in order."""

import asyncio
import gc
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version as version_of

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.protocol import Protocol
from domain.protocol_text import ProtocolError
from persistence.engine import open_engine
from persistence.outbox import OutgoingRecord
from worker import fault_points, startup
from worker.asyncapi import document
from worker.connections import client_arguments
from worker.errors import OperatorError, WorkerError
from worker.health import Health
from worker.http import application, routes, serving
from worker.intake import Intake
from worker.lanes import Lanes
from worker.messages.heartbeats import Heartbeat, heartbeat_record
from worker.observability.labels import RebalanceEvent
from worker.observability.metrics import Metrics
from worker.observing import Observer
from worker.pipeline import Pipeline
from worker.protocols import load_protocol
from worker.publisher import Publishing
from worker.settings import Settings, fault_point
from worker.startup import Patience
from worker.subscribers import Listener, make_broker, subscribe
from worker.timers import Timers
from worker.topics import TopicNames
from worker.watchdog import judge, signs_of

_RETRY_BACKOFF_MS = 20  # between a lane's transactions, one right after the other
_LOOK_SECONDS = 1.0
_LOOK_AT_DATABASE_SECONDS = 5.0
_TICK_SECONDS = 0.1
_CONNECTIONS = 8  # kept open; a few more when all are in use
_COLLECT_AFTER = 50_000  # new objects

log = structlog.get_logger(__name__)


async def run(settings: Settings, *, wait: float | None = None) -> None:
    """Run the worker until it is told to stop. Raises WorkerError, which knows its exit code.

    *wait* bounds how long broker and database are waited for, in seconds; None waits for ever.
    """
    fault_points.arm(fault_point())
    protocol = protocol_of(settings)
    version = version_of("vigil-alerting")
    registry, health, stop = CollectorRegistry(), Health(), _stop_on_signals()
    metrics = Metrics(registry)
    metrics.build_info.labels(version=version).set(1)
    metrics.ruleset_info.labels(
        protocol=protocol.protocol_id, version=protocol.version, hash=protocol.digest
    ).set(1)
    lanes_known: list[int] = []  # none before the topics have been seen

    def described() -> dict[str, object]:
        return document(settings, lanes=(lanes_known or [settings.partitions])[0], version=version)

    served = application(routes(registry, health, described))
    async with (
        serving(served, settings.http_host, settings.http_port) as port,
        _ticking(health, metrics),
        open_engine(settings.database_url.get_secret_value(), pool_size=_CONNECTIONS) as engine,
    ):
        lanes = await _unless_stopped(_ready_to_start(settings, engine, health, wait), stop)
        if lanes is not None:
            _collect_seldom()
            lanes_known.append(lanes)
            log.info("http_served", host=settings.http_host, port=port)
            worker = Worker(settings, protocol, engine, lanes=lanes, metrics=metrics, health=health)
            await worker.run(stop)
    log.info("worker_stopped")


def protocol_of(settings: Settings) -> Protocol:
    """The protocol to run under. Raises OperatorError."""
    try:
        return load_protocol(settings.protocol)
    except ProtocolError as error:
        raise OperatorError(f"VIGIL_PROTOCOL: {error}") from None


def _collect_seldom() -> None:
    """Let Python look for cycles less often: charts live long and make none, and looking took a fifth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 20)


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _ready_to_start(settings: Settings, engine: AsyncEngine, health: Health, wait: float | None) -> int:
    """Wait for database and broker, and see that both are as they must be; returns the number of lanes."""

    def tell(what: str | None) -> None:
        health.waiting_for = what or "start-up"

    patience = Patience(wait, tell)
    await startup.database_answers(engine, patience)
    await startup.check_database(engine)
    async with startup.connected_admin(settings, patience) as admin:
        lanes = await startup.check_broker(admin, TopicNames(settings.topic_prefix))
    await startup.ensure_lanes(engine, lanes)
    return lanes


async def _unless_stopped(work: Awaitable[int], stop: asyncio.Event) -> int | None:
    """What *work* gives; None if the worker is told to stop before."""
    working, stopping = asyncio.ensure_future(work), asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if working.done():
        return working.result()
    working.cancel()
    await asyncio.wait({working})
    return None


@asynccontextmanager
async def _ticking(health: Health, metrics: Metrics) -> AsyncIterator[None]:
    """Show, while the block runs, that the event loop turns and how late it is."""

    async def tick() -> None:
        late = [0.0] * 50
        while True:
            asked = time.perf_counter()
            await asyncio.sleep(_TICK_SECONDS)
            late = [*late[1:], time.perf_counter() - asked - _TICK_SECONDS]
            metrics.event_loop_lag_seconds.set(max(0.0, *late))
            health.tick()

    task = asyncio.create_task(tick(), name="tick")
    try:
        yield
    finally:
        task.cancel()


class Worker:
    """All parts of a running worker, wired."""

    def __init__(  # noqa: PLR0913  the root is where all parts meet
        self,
        settings: Settings,
        protocol: Protocol,
        engine: AsyncEngine,
        *,
        lanes: int,
        metrics: Metrics,
        health: Health,
    ) -> None:
        self._settings, self._protocol, self._metrics, self._health = settings, protocol, metrics, health
        self._names = TopicNames(settings.topic_prefix)
        self._instance = settings.instance_id or f"{socket.gethostname()}-{os.getpid()}"
        pipeline = Pipeline(
            engine=engine,
            protocol=protocol,
            lanes=lanes,
            site=settings.site,
            group=settings.group,
            version=version_of("vigil-alerting"),
        )
        self._lanes = Lanes(self._publishing(engine))
        self._intake = Intake(pipeline, self._names, metrics, self._lanes.wake)
        self._timers = Timers(
            pipeline=pipeline,
            metrics=metrics,
            turn=self._intake.turn,
            sights=self._intake.sights,
            lanes=self._assigned_lanes,
            wake=self._lanes.wake,
        )
        self._observer = Observer(
            engine=engine, intake=self._intake, lanes=self._lanes, metrics=metrics, health=health
        )
        self._broker = make_broker(settings, metrics.registry)
        listener = Listener(
            on_assigned=self._on_assigned, on_revoked=self._on_revoked, turn=self._intake.turn
        )
        self._subscriber = subscribe(
            self._broker, settings, self._names, take=self._intake.take, listener=listener
        )
        self._intake.source = self._subscriber

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop, or until a part cannot go on; then end in good order either way."""
        self._metrics.expect_topics(self._names.inputs)
        tasks: list[asyncio.Task[None]] = []
        try:
            await self._start(stop)
            self._health.waiting_for = None
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
            ("reconcile", seldom, partial(self._intake.reconcile_pass, idle_seconds=seldom)),
            ("commit", seldom, self._observer.commit_pass),
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
            judge(signs_of(self._subscriber, consumer))
            self._metrics.watchdog_last_pass_timestamp_seconds.set(time.time())

    def _on_assigned(self, partitions: Iterable[TopicPartition]) -> None:
        self._metrics.consumer_rebalances.labels(event=RebalanceEvent.ASSIGNED).inc()
        self._intake.assigned(partitions)
        self._lanes.assign(p.partition for p in partitions if p.topic == self._names.readings)

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

    def _producer(self, lane: int) -> AIOKafkaProducer:
        settings = self._settings
        return AIOKafkaProducer(
            **client_arguments(settings),
            transactional_id=f"{settings.group}.{lane}",
            enable_idempotence=True,
            acks="all",
            linger_ms=0,
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
