"""Where a broker and a database come from: the environment, a Docker engine, local processes."""

import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from enum import StrEnum
from typing import TypeVar

from deploy.local.containers import (
    DEFAULT_ENGINE,
    Container,
    ContainerKafka,
    ContainerPostgres,
    engine_listens,
)
from deploy.local.errors import ServiceUnavailableError, SourceUnavailableError
from deploy.local.external import KAFKA_VARIABLE, kafka_from, postgres_from
from deploy.local.kafka import Installation, KafkaCluster, LocalKafka
from deploy.local.kafka_distribution import Say, jars
from deploy.local.postgres import LocalPostgres
from deploy.local.services import Kafka, Postgres, Service, Services
from deploy.local.workspace import Workspace

_INSTALL_KAFKA = "Java 17 or later and Maven (Debian: default-jre-headless maven), or Docker"
_INSTALL_POSTGRES = "PostgreSQL 15 or later (Debian: postgresql), or Docker"

_Found = TypeVar("_Found", bound=Service)
_Ways = Mapping["Place", Callable[[], _Found]]


def say_to_terminal(text: str) -> None:
    """Tell on standard error what takes long or is out of the ordinary."""
    print(f"vigil: {text}", file=sys.stderr, flush=True)


class Place(StrEnum):
    """Where a service may come from."""

    ENVIRONMENT = "environment"  # an address in VIGIL_TEST_…
    DOCKER = "docker"  # a container, if a Docker engine answers
    PROCESSES = "processes"  # a local process


EVERYWHERE = tuple(Place)
# Only what we start ourselves can be stopped, killed, paused.
CONTROLLABLE = (Place.DOCKER, Place.PROCESSES)


@contextmanager
def local_services(
    *,
    kafka: bool = True,
    postgres: bool = True,
    places: Sequence[Place] = EVERYWHERE,
    environment: Mapping[str, str] = os.environ,
    say: Say = say_to_terminal,
) -> Iterator[Services]:
    """Lend a broker and a database that answer; what was started for it ends with the block.

    Each is taken from the first of *places* that has it. Raises ServiceUnavailableError if none has.
    """
    with ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        search = _Search(stack, places, environment, say)
        found_kafka = pool.submit(search.kafka) if kafka else None
        found_postgres = pool.submit(search.postgres) if postgres else None
        yield Services(
            found_kafka.result() if found_kafka else None,
            found_postgres.result() if found_postgres else None,
        )


@contextmanager
def kafka_cluster(brokers: int = 3, *, say: Say = say_to_terminal) -> Iterator[KafkaCluster]:
    """Lend a cluster of several brokers, always local processes: each can be killed by itself."""
    try:
        installation = Installation.find(say)
    except SourceUnavailableError as error:
        raise ServiceUnavailableError("Kafka cluster", [str(error)], otherwise=_INSTALL_KAFKA) from error
    with Workspace() as workspace:
        cluster = KafkaCluster.of(brokers, workspace, installation)
        cluster.start()
        yield cluster


def fetch_ahead(environment: Mapping[str, str] = os.environ, *, say: Say = say_to_terminal) -> None:
    """Fetch Kafka if it will be run as a process, so that no start has to wait for the network."""
    elsewhere = environment.get(KAFKA_VARIABLE) or engine_listens(
        environment.get("DOCKER_HOST", DEFAULT_ENGINE)
    )
    if not elsewhere:
        with suppress(SourceUnavailableError):  # whoever needs it will say so
            jars(say)


class _Search:
    """Asks the places in order; whatever they give is taken back by the stack."""

    def __init__(
        self, stack: ExitStack, places: Sequence[Place], environment: Mapping[str, str], say: Say
    ) -> None:
        self._stack = stack
        self._places = places
        self._environment = environment
        self._say = say
        self._one_workspace = threading.Lock()
        self._opened: Workspace | None = None

    def kafka(self) -> Kafka:
        ways: _Ways[Kafka] = {
            Place.ENVIRONMENT: lambda: kafka_from(self._environment),
            Place.DOCKER: lambda: ContainerKafka.create(self._engine),
            Place.PROCESSES: lambda: LocalKafka(self._workspace(), Installation.find(self._say)),
        }
        return self._first_to_start("Kafka", ways, otherwise=_INSTALL_KAFKA)

    def postgres(self) -> Postgres:
        ways: _Ways[Postgres] = {
            Place.ENVIRONMENT: lambda: postgres_from(self._environment),
            Place.DOCKER: lambda: ContainerPostgres.create(self._engine),
            Place.PROCESSES: lambda: LocalPostgres.find(self._workspace(), self._say),
        }
        return self._first_to_start("PostgreSQL", ways, otherwise=_INSTALL_POSTGRES)

    def _first_to_start(self, name: str, ways: "_Ways[_Found]", *, otherwise: str) -> _Found:
        reasons = []
        for place in self._places:
            try:
                service = ways[place]()
                self._take_back(service)
                service.start()
            except SourceUnavailableError as error:
                reasons.append(str(error))
            else:
                return service
        raise ServiceUnavailableError(name, reasons, otherwise=otherwise)

    def _take_back(self, service: Service) -> None:
        # A process needs no word here: its workspace ends it, and fast, as its data go with it.
        if isinstance(service, Container):
            self._stack.callback(service.remove)

    @property
    def _engine(self) -> str:
        return self._environment.get("DOCKER_HOST", DEFAULT_ENGINE)

    def _workspace(self) -> Workspace:
        with self._one_workspace:
            if self._opened is None:
                self._opened = self._stack.enter_context(Workspace())
            return self._opened
