"""What every test may ask for: a real broker, a real database, and names nobody else uses."""

import os
import secrets
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext

import pytest
import structlog

from deploy.local import (
    CONTROLLABLE,
    Database,
    Kafka,
    KafkaCluster,
    Postgres,
    Services,
    ServiceUnavailableError,
    fetch_ahead,
    kafka_cluster,
    local_services,
)
from deploy.local.pgbouncer import find_pgbouncer

NEEDS_KAFKA = frozenset({"kafka", "own_services", "three_brokers"})
NEEDS_SERVICES = NEEDS_KAFKA | {"postgres"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a real service, so that `-m "not services"` is the quick round."""
    for item in items:
        if NEEDS_SERVICES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.services)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fetch Kafka, if it is needed and not there, before any test's time-out runs."""
    needed = any(NEEDS_KAFKA & set(getattr(item, "fixturenames", ())) for item in session.items)
    if needed and not session.config.option.collectonly:
        capture = session.config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            fetch_ahead()


def program(*names: str, package: str) -> str:
    """The path of a program that is not ours; without it skip, or, where every tool is required, fail."""
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        give_up = pytest.fail if os.environ.get("VIGIL_REQUIRE_TOOLS") == "1" else pytest.skip
        give_up(f"no {names[0]} in PATH (Debian: apt-get install {package})")
    return found


@pytest.fixture(scope="session")
def promtool() -> str:
    """Prometheus' own checker."""
    return program("promtool", package="prometheus")


@pytest.fixture(scope="session")
def prometheus_program() -> str:
    return program("prometheus", package="prometheus")


@pytest.fixture(scope="session")
def kcat() -> str:
    """A client that knows nothing of us."""
    return program("kcat", "kafkacat", package="kcat")


@pytest.fixture(scope="session")
def pgbouncer() -> None:
    """Debian's PgBouncer, installed or to be fetched; without it skip, or, where every tool is required, fail."""
    try:
        find_pgbouncer()
    except ServiceUnavailableError as missing:
        give_up = pytest.fail if os.environ.get("VIGIL_REQUIRE_TOOLS") == "1" else pytest.skip
        give_up(str(missing))


@pytest.fixture
def plain_log() -> Iterator[None]:
    """Log lines with tracebacks as they are: unasked, structlog draws them with every local variable there is."""
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    )
    yield
    structlog.reset_defaults()


@contextmanager
def present() -> Iterator[None]:
    """Skip for want of a service, with the reason; where services are required, fail."""
    try:
        yield
    except ServiceUnavailableError as missing:
        give_up = pytest.fail if os.environ.get("VIGIL_REQUIRE_SERVICES") == "1" else pytest.skip
        give_up(str(missing))


@pytest.fixture(scope="session")
def kafka() -> Iterator[Kafka]:
    """One broker for the whole session; do not stop it."""
    with ExitStack() as stack:
        with present():
            services = stack.enter_context(local_services(postgres=False))
        yield services.kafka


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for the whole session; do not stop it."""
    with ExitStack() as stack:
        with present():
            services = stack.enter_context(local_services(kafka=False))
        yield services.postgres


@pytest.fixture(scope="session")
def services(kafka: Kafka, postgres: Postgres) -> Services:
    return Services(kafka, postgres)


@pytest.fixture(scope="session")
def kafka_bootstrap(kafka: Kafka) -> str:
    return kafka.bootstrap_servers


@pytest.fixture
def topic_prefix() -> str:
    """Begins the names of this test's topics, groups and transactions; nobody else's begin so."""
    return f"test-{secrets.token_hex(5)}."


@pytest.fixture
def group(topic_prefix: str) -> str:
    return f"{topic_prefix}vigil"


@pytest.fixture(scope="session")
def database_template(postgres: Postgres) -> Iterator[str]:
    """A database with all migrations applied and nobody connected, to be copied."""
    with postgres.database() as template:
        _in_a_thread(template.url)
        yield template.name


@pytest.fixture
def database(postgres: Postgres, database_template: str) -> Iterator[Database]:
    """This test's own database, migrated and empty."""
    with postgres.database(template=database_template) as database:
        yield database


@pytest.fixture
def database_url(database: Database) -> str:
    return database.url


@pytest.fixture
def empty_database(postgres: Postgres) -> Iterator[Database]:
    """This test's own database with nothing in it."""
    with postgres.database() as database:
        yield database


@pytest.fixture(scope="module")
def _services_of_the_module() -> Iterator[Services]:
    with ExitStack() as stack:
        with present():
            services = stack.enter_context(local_services(places=CONTROLLABLE))
        yield services


@pytest.fixture
def own_services(_services_of_the_module: Services) -> Iterator[Services]:
    """A broker and a server of this module's own, to be stopped and killed; mended afterwards."""
    yield _services_of_the_module
    for service in (_services_of_the_module.kafka, _services_of_the_module.postgres):
        service.resume()
        service.start()


@pytest.fixture(scope="module")
def three_brokers() -> Iterator[KafkaCluster]:
    """A cluster of this module's own, each broker to be stopped and killed by itself."""
    with ExitStack() as stack:
        with present():
            cluster = stack.enter_context(kafka_cluster(3))
        yield cluster


def _in_a_thread(url: str) -> None:
    """Apply the migrations where no event loop of a test is in the way."""
    from persistence.schema import upgrade  # noqa: PLC0415  most tests need no database

    with ThreadPoolExecutor(1) as pool:
        pool.submit(upgrade, url).result()
