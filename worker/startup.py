"""Starting up: wait for broker and database, saying for what; then see that all is as it must be."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TypeVar

import asyncpg
import structlog
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    AuthenticationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_delay, stop_never
from tenacity.wait import wait_exponential

from persistence import schema
from persistence.durability import unsafe_settings
from persistence.engine import open_engine
from persistence.errors import SchemaNotMigratedError
from persistence.unit_of_work import unit_of_work
from worker import installation
from worker.connections import client_arguments
from worker.database_refusals import refusal_of
from worker.errors import OperatorError, UnreachableError
from worker.internals import oldest_fetch_version
from worker.settings import Settings
from worker.topics import Layout, TopicNames, check_durable, describe_topics, lane_count

_FETCH_OF_KAFKA_4 = 4
"""Kafka 4.0 gave up the older versions of its protocol; what it still speaks tells it from 3.x."""

_TRY_SECONDS = 5.0
_LONGEST_PAUSE = 2.0
_SAY_EVERY = 5.0

# The server answered, and what it said will be said again: waiting does not help.
_REFUSED_BY_BROKER = (AuthenticationFailedError, UnsupportedSaslMechanismError, TopicAuthorizationFailedError)

_ASK_OF_DATABASE = "is it running, and is VIGIL_DATABASE_URL right?"
_ASK_OF_BROKER = (
    "is it running, and is VIGIL_KAFKA_BOOTSTRAP_SERVERS right? "
    "Or the security settings (VIGIL_KAFKA_SECURITY_PROTOCOL) do not fit the listener"
)

log = structlog.get_logger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait (None: for ever), and who is told what is waited for."""

    seconds: float | None = None
    tell: Callable[[str | None], None] = lambda _: None


async def database_answers(engine: AsyncEngine, patience: Patience) -> None:
    """Return once the database answers. Raises UnreachableError, or OperatorError if it refuses us."""
    where = _address_of(engine)

    async def try_once() -> None:
        try:
            async with asyncio.timeout(_TRY_SECONDS), engine.connect():
                pass
        except (DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            if told := refusal_of(error):
                raise OperatorError(f"the database at {where} {told} (VIGIL_DATABASE_URL)") from None
            raise ConnectionError(type(error).__name__) from error

    await _patiently(try_once, f"the database at {where}", _ASK_OF_DATABASE, patience)


@asynccontextmanager
async def connected_database(settings: Settings, patience: Patience) -> AsyncIterator[AsyncEngine]:
    """Lend an engine of the database, once it answers. Raises UnreachableError or OperatorError."""
    async with open_engine(settings.database_url.get_secret_value()) as engine:
        await database_answers(engine, patience)
        yield engine


def _address_of(engine: AsyncEngine) -> str:
    url = make_url(engine.url)
    return f"{url.host}:{url.port or 5432}/{url.database}"


@asynccontextmanager
async def connected_admin(settings: Settings, patience: Patience) -> AsyncIterator[AIOKafkaAdminClient]:
    """Lend an admin client of the broker, once it answers. Raises UnreachableError or OperatorError."""
    where = settings.kafka_bootstrap_servers

    async def try_once() -> AIOKafkaAdminClient:
        admin = AIOKafkaAdminClient(**client_arguments(settings))
        try:
            async with asyncio.timeout(_TRY_SECONDS):
                await admin.start()
        except _REFUSED_BY_BROKER as error:
            await admin.close()
            raise OperatorError(f"the broker at {where} refuses: {error}; see VIGIL_KAFKA_SASL_…") from None
        except BaseException:
            await admin.close()
            raise
        return admin

    with _client_silenced():
        admin = await _patiently(try_once, f"the broker at {where}", _ASK_OF_BROKER, patience)
    try:
        yield admin
    finally:
        await admin.close()


@contextmanager
def _client_silenced() -> Iterator[None]:
    """Let aiokafka say nothing of its attempts: our own line says what is waited for, and why."""
    client = logging.getLogger("aiokafka")
    level = client.level
    if logging.getLogger().level > logging.DEBUG:
        client.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        client.setLevel(level)


async def _patiently(try_once: Callable[[], Awaitable[T]], what: str, ask: str, patience: Patience) -> T:
    """Try until it works, saying at once and then now and again what is waited for."""
    patience.tell(what)
    said_at = 0.0

    def say(state: RetryCallState) -> None:
        nonlocal said_at
        patience.tell(what)
        if time.monotonic() - said_at >= _SAY_EVERY or state.attempt_number == 1:
            said_at = time.monotonic()
            log.warning("waiting_for", what=what, seconds=round(state.seconds_since_start or 0.0, 1), ask=ask)

    retrying = AsyncRetrying(
        stop=stop_never if patience.seconds is None else stop_after_delay(patience.seconds),
        wait=wait_exponential(multiplier=0.1, max=_LONGEST_PAUSE),
        retry=retry_if_exception_type((OSError, TimeoutError, KafkaError)),
        before_sleep=say,
        reraise=True,
    )
    try:
        result: T = await retrying(try_once)
    except (OSError, TimeoutError, KafkaError):
        raise UnreachableError(f"{what} gave no answer in {patience.seconds:g} s: {ask}") from None
    patience.tell(None)
    return result


async def check_broker(admin: AIOKafkaAdminClient, names: TopicNames, begun: int) -> Layout:
    """See that the broker is new enough and the topics are right; *begun* is how many lanes there are already."""
    if await oldest_fetch_version(admin) < _FETCH_OF_KAFKA_4:
        raise OperatorError(
            "the broker is older than Kafka 4.0, whose transactions Vigil relies on; upgrade it"
        )
    states = await describe_topics(admin, names)
    lanes = lane_count(names, states, begun)
    check_durable(names, states, brokers=len((await admin.describe_cluster())["brokers"]))
    return Layout(lanes, tuple(states[topic].partitions for topic in names.inputs))


async def check_database(engine: AsyncEngine, settings: Settings) -> None:
    """See that the schema is there, that commits are durable, and that no other Vigil's data is. Raises OperatorError."""
    try:
        await schema.check(engine)
    except SchemaNotMigratedError as error:
        raise OperatorError(str(error)) from None
    if unsafe := await unsafe_settings(engine):
        raise OperatorError(
            f"the database can lose what it has committed: {' and '.join(unsafe)} must be on (postgresql.conf)"
        )
    await installation.check_owner(engine, settings)


async def lanes_begun(engine: AsyncEngine) -> int:
    """How many lanes the database was begun with; 0 before the first start."""
    async with unit_of_work(engine) as work:
        return await work.lanes.count()


async def ensure_lanes(engine: AsyncEngine, lanes: int) -> None:
    """Make the lanes' rows, if they are not there yet."""
    async with unit_of_work(engine) as work:
        await work.lanes.ensure(lanes)
