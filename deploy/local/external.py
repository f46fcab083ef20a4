"""Services whose addresses stand in the environment."""

from abc import ABC
from collections.abc import Mapping
from typing import NoReturn
from urllib.parse import urlsplit, urlunsplit

from deploy.local.errors import NotControllableError, SourceUnavailableError
from deploy.local.services import Kafka, Postgres, Service

KAFKA_VARIABLE = "VIGIL_TEST_KAFKA_BOOTSTRAP_SERVERS"
POSTGRES_VARIABLE = "VIGIL_TEST_DATABASE_URL"


class External(Service, ABC):
    """A service that somebody else runs: it can be used, not stopped."""

    is_running = True  # as far as we can tell

    def start(self) -> None:
        self.wait_ready(timeout=10)

    def stop(self) -> NoReturn:
        raise NotControllableError(f"{self.name} was given by its address and is not ours to control")

    kill = pause = resume = restart = stop

    def last_words(self) -> str:
        return f" at the address given for {self.name}"


class ExternalKafka(External, Kafka):
    """A cluster named in the environment."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._bootstrap_servers = bootstrap_servers

    @property
    def bootstrap_servers(self) -> str:
        return self._bootstrap_servers


class ExternalPostgres(External, Postgres):
    """A server named in the environment, by a libpq or an SQLAlchemy address."""

    def __init__(self, address: str) -> None:
        self._dsn = urlunsplit(urlsplit(address)._replace(scheme="postgresql"))

    @property
    def dsn(self) -> str:
        return self._dsn


def kafka_from(environment: Mapping[str, str]) -> Kafka:
    return ExternalKafka(_address(environment, KAFKA_VARIABLE))


def postgres_from(environment: Mapping[str, str]) -> Postgres:
    return ExternalPostgres(_address(environment, POSTGRES_VARIABLE))


def _address(environment: Mapping[str, str], variable: str) -> str:
    if address := environment.get(variable):
        return address
    raise SourceUnavailableError(f"address in the environment: {variable} is not set")
