"""The composition root of `vigil run`: wait for broker and database, check them, then run the worker."""

import asyncio
import gc
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version as version_of

import structlog
from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.protocol import Protocol
from domain.protocol_text import ProtocolError
from persistence.engine import open_engine
from worker import fault_points, installation, startup
from worker.asyncapi import document
from worker.errors import OperatorError
from worker.health import Health
from worker.http import application, bound, routes, serving
from worker.observability.metrics import Metrics
from worker.parts import Worker
from worker.protocols import load_protocol
from worker.settings import Settings, fault_point
from worker.startup import Patience
from worker.topics import Layout, TopicNames

_TICK_SECONDS = 0.1
_AT_ONCE_SECONDS = 1.0  # a broker that is there answers sooner
_CONNECTIONS = 8  # kept open; a few more when all are in use
_COLLECT_AFTER = 200_000  # new objects

log = structlog.get_logger(__name__)


async def run(
    settings: Settings,
    *,
    wait: float | None = None,
    listening: socket.socket | None = None,
    checked: Callable[[int], None] = lambda _: None,
) -> None:
    """Run the worker until it is told to stop. Raises WorkerError, which knows its exit code.

    *wait* bounds how long broker and database are waited for, in seconds; None waits for ever. One of several
    processes is given where it is *listening*; *checked* is told the number of lanes when all is as it must be.
    """
    fault_points.arm(fault_point())
    protocol = protocol_of(settings)
    version = version_of("vigil-alerting")
    registry, health, stop = CollectorRegistry(), Health(), _stop_on_signals()
    metrics = _metrics_of(registry, protocol, version)
    lanes_known: list[int] = []  # none before the topics have been seen

    def described() -> dict[str, object]:
        return document(settings, lanes=(lanes_known or [settings.partitions])[0], version=version)

    served = application(routes(registry, health, described))
    async with (
        serving(served, listening or bound(settings.http_host, settings.http_port)) as port,
        _ticking(health, metrics),
        open_engine(settings.database_url.get_secret_value(), pool_size=_CONNECTIONS) as engine,
    ):
        layout = await _unless_stopped(_ready_to_start(settings, engine, health, wait), stop)
        if layout is not None:
            _collect_seldom()
            lanes_known.append(layout.lanes)
            checked(layout.lanes)
            if listening is None:
                log.info("http_served", host=settings.http_host, port=port)
            worker = Worker(settings, protocol, engine, layout=layout, metrics=metrics, health=health)
            await worker.run(stop)
    log.info("worker_stopped")


def _metrics_of(registry: CollectorRegistry, protocol: Protocol, version: str) -> Metrics:
    metrics = Metrics(registry)
    metrics.build_info.labels(version=version).set(1)
    metrics.ruleset_info.labels(
        protocol=protocol.protocol_id, version=protocol.version, hash=protocol.digest
    ).set(1)
    return metrics


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
    gc.set_threshold(_COLLECT_AFTER, 50, 100)


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _ready_to_start(
    settings: Settings, engine: AsyncEngine, health: Health, wait: float | None
) -> Layout:
    """Wait for database and broker, and see that both are as they must be; returns how the topics are laid out."""

    def tell(what: str | None) -> None:
        health.waiting_for = what or "start-up"

    await startup.database_answers(engine, Patience(wait, tell))
    await startup.check_database(engine, settings)
    begun = await startup.lanes_begun(engine)
    asked_at = time.monotonic()
    async with startup.connected_admin(settings, Patience(wait, tell)) as admin:
        health.broker_was_away = time.monotonic() - asked_at > _AT_ONCE_SECONDS
        layout = await startup.check_broker(admin, TopicNames(settings.topic_prefix), begun)
    await installation.claim(engine, settings)  # not before the topics: a misspelt prefix must not stay
    await startup.ensure_lanes(engine, layout.lanes)
    return layout


async def _unless_stopped(work: Awaitable[Layout], stop: asyncio.Event) -> Layout | None:
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
