"""Kafka and PostgreSQL as containers, where a Docker engine answers."""

import socket
from abc import ABC
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from deploy.local.configuration import (
    KAFKA_HEAP,
    KAFKA_IMAGE,
    POSTGRES_IMAGE,
    POSTGRES_SETTINGS,
    kafka_settings,
)
from deploy.local.errors import SourceUnavailableError
from deploy.local.processes import LOOPBACK, free_port
from deploy.local.services import Kafka, Postgres, Service

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

DEFAULT_ENGINE = "unix:///var/run/docker.sock"
_POSTGRES_PORT = 5432
_STOP_SECONDS = 20


class Container(Service, ABC):
    """A service in a container on a fixed port; testcontainers' reaper removes it with its owner."""

    def __init__(self, container: "DockerContainer", port: int) -> None:
        self._container = container
        self._was_started = False
        self.port = port

    def start(self) -> None:
        if not self._was_started:
            self._first_start()
        elif not self.is_running:
            self._container.get_wrapped_container().start()
        self.wait_ready()

    def _first_start(self) -> None:
        from docker.errors import DockerException  # noqa: PLC0415  slow, seldom needed

        try:
            self._container.start()
        except DockerException as error:  # no such image, no network to fetch it
            raise SourceUnavailableError(
                f"Docker: {self._container.image} does not start: {error}"
            ) from error
        self._was_started = True

    def stop(self) -> None:
        self.resume()
        self._container.get_wrapped_container().stop(timeout=_STOP_SECONDS)

    def kill(self) -> None:
        if self.is_running:
            self._container.get_wrapped_container().kill()

    def pause(self) -> None:
        if self._status() == "running":
            self._container.get_wrapped_container().pause()

    def resume(self) -> None:
        if self._status() == "paused":
            self._container.get_wrapped_container().unpause()

    @property
    def is_running(self) -> bool:
        return self._status() in {"running", "paused"}

    def _status(self) -> str:
        if not self._was_started:
            return "not started"
        inner = self._container.get_wrapped_container()
        inner.reload()
        return str(inner.status)

    def last_words(self) -> str:
        tail: bytes = self._container.get_wrapped_container().logs(tail=15)
        return f"; it last said:\n{tail.decode(errors='replace')}"

    def remove(self) -> None:
        """Remove the container with its data."""
        if self._was_started:
            self._container.stop()


class ContainerKafka(Container, Kafka):
    """One broker in a container, with the settings of a local one."""

    @classmethod
    def create(cls, engine: str) -> "ContainerKafka":
        port = free_port()
        container = _container(KAFKA_IMAGE, engine)
        _publish(container, port, port)
        container.with_env("KAFKA_HEAP_OPTS", KAFKA_HEAP)
        for key, value in _broker_environment(port).items():
            container.with_env(key, value)
        return cls(container, port)

    @property
    def bootstrap_servers(self) -> str:
        return f"{LOOPBACK}:{self.port}"


class ContainerPostgres(Container, Postgres):
    """A server in a container, with the settings of a local one."""

    @classmethod
    def create(cls, engine: str) -> "ContainerPostgres":
        port = free_port()
        container = _container(POSTGRES_IMAGE, engine)
        _publish(container, _POSTGRES_PORT, port)
        for variable, value in (("USER", "vigil"), ("PASSWORD", "vigil"), ("DB", "postgres")):
            container.with_env(f"POSTGRES_{variable}", value)
        container.with_command(["postgres", *_flags(POSTGRES_SETTINGS)])
        return cls(container, port)

    @property
    def dsn(self) -> str:
        return f"postgresql://vigil:vigil@{LOOPBACK}:{self.port}/postgres"


def _container(image: str, engine: str) -> "DockerContainer":
    """Return a container to be started; raises SourceUnavailableError unless an engine answers."""
    if not engine_listens(engine):
        raise SourceUnavailableError(f"Docker: no engine listens at {engine}")
    try:
        from docker.errors import DockerException  # noqa: PLC0415  as above
        from testcontainers.core.container import DockerContainer  # noqa: PLC0415
    except ImportError as error:
        raise SourceUnavailableError("Docker: the package testcontainers is not installed") from error
    try:
        return DockerContainer(image)
    except DockerException as error:
        raise SourceUnavailableError(f"Docker: the engine at {engine} does not answer") from error


def _publish(container: "DockerContainer", inside: int, outside: int) -> None:
    """Let *inside* be reached at *outside*, from this machine only."""
    # Docker's client takes a pair here; what wraps it knows numbers only.
    container.ports[str(inside)] = (LOOPBACK, outside)  # type: ignore[assignment]


def engine_listens(engine: str) -> bool:
    """Whether somebody does; asked here, as Docker's client leaks its socket when nobody does."""
    address = urlsplit(engine)
    if address.scheme != "unix":
        return True  # the client finds out
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(address.path) == 0


def _broker_environment(port: int) -> dict[str, str]:
    """Name the broker's settings as its image wants them: KAFKA_ and dots as underlines."""
    topology = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": "1@localhost:9093",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://:{port},CONTROLLER://localhost:9093",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    }
    settings = {**topology, **kafka_settings(brokers=1)}
    return {f"KAFKA_{key.replace('.', '_').upper()}": value for key, value in settings.items()}


def _flags(settings: Mapping[str, str]) -> list[str]:
    return [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
