"""What a broker and a database look like to whoever uses them, wherever they came from."""

import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import psycopg
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from psycopg import sql

from deploy.local.errors import ServiceFailedError

READY_SECONDS = 60.0
_POLL_SECONDS = 0.05


class Service(ABC):
    """A service that can be started, stopped, killed, paused; its address never changes."""

    name: str

    @abstractmethod
    def start(self) -> None:
        """Start it and wait until it answers; does nothing if it runs."""

    @abstractmethod
    def stop(self) -> None:
        """End it in good order; its data stay."""

    @abstractmethod
    def kill(self) -> None:
        """End it as a power cut would (SIGKILL); its data stay."""

    @abstractmethod
    def pause(self) -> None:
        """Freeze it: its connections stay open and nothing answers."""

    @abstractmethod
    def resume(self) -> None:
        """Let a paused service go on."""

    @property
    @abstractmethod
    def is_running(self) -> bool:
        """Whether its process lives; a paused one does."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether it can be worked with now."""

    def restart(self) -> None:
        """Stop it in good order and start it again, at the same address."""
        self.stop()
        self.start()

    def wait_ready(self, timeout: float = READY_SECONDS) -> None:
        """Return once it answers; raises ServiceFailedError after *timeout* seconds or if it ended."""
        deadline = time.monotonic() + timeout
        while not self.answers():
            if not self.is_running:
                raise ServiceFailedError(f"{self.name} ended before it answered{self.last_words()}")
            if time.monotonic() > deadline:
                raise ServiceFailedError(f"{self.name} gave no answer in {timeout:g} s{self.last_words()}")
            time.sleep(_POLL_SECONDS)

    @abstractmethod
    def last_words(self) -> str:
        """Return what its log says, for an error."""


class Kafka(Service):
    """A Kafka cluster of one or more brokers."""

    name = "Kafka"
    brokers_expected = 1

    @property
    @abstractmethod
    def bootstrap_servers(self) -> str:
        """Return `host:port` of each broker, parted by commas."""

    @property
    def url(self) -> str:
        return self.bootstrap_servers

    def answers(self) -> bool:
        """Whether all its brokers have joined."""
        return self.brokers_alive() >= self.brokers_expected

    def brokers_alive(self) -> int:
        """Count the brokers that the cluster knows to be alive; 0 if nobody answers."""
        admin = AdminClient(
            {
                "bootstrap.servers": self.bootstrap_servers,
                "log_level": 0,  # that nobody answers yet is no news
            }
        )
        try:
            return len(admin.list_topics(timeout=2).brokers)
        except KafkaException:
            return 0


@dataclass(frozen=True, slots=True)
class Database:
    """One database on a server; *dsn* is libpq's address, which names no driver."""

    dsn: str

    @property
    def url(self) -> str:
        """Return its address for SQLAlchemy with asyncpg."""
        return urlunsplit(urlsplit(self.dsn)._replace(scheme="postgresql+asyncpg"))

    @property
    def name(self) -> str:
        return urlsplit(self.dsn).path.lstrip("/")


class Postgres(Service):
    """A PostgreSQL server whose role may create databases."""

    name = "PostgreSQL"

    @property
    @abstractmethod
    def dsn(self) -> str:
        """Return libpq's address of its first database."""

    @property
    def url(self) -> str:
        """Return the address of its first database for SQLAlchemy with asyncpg."""
        return Database(self.dsn).url

    def answers(self) -> bool:
        try:
            with psycopg.connect(self.dsn, connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def create_database(self, name: str | None = None, *, template: str | None = None) -> Database:
        """Create a database, of a new name if none is given, empty or as a copy of *template*.

        A copy takes a tenth of a second, and needs the template to have no connection.
        """
        name = name or f"vigil_{secrets.token_hex(6)}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(template or "template0")
        )
        self._administer(statement)
        return Database(urlunsplit(urlsplit(self.dsn)._replace(path=f"/{name}")))

    def drop_database(self, name: str) -> None:
        """Drop *name*, cutting off whoever is still connected."""
        self._administer(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    @contextmanager
    def database(self, *, template: str | None = None) -> Iterator[Database]:
        """Lend a new database, dropped afterwards."""
        database = self.create_database(template=template)
        try:
            yield database
        finally:
            self.drop_database(database.name)

    def _administer(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.dsn, autocommit=True, connect_timeout=10) as connection:
            connection.execute(statement)


@dataclass(frozen=True, slots=True)
class Services:
    """What `local_services` lends: what was not asked for raises when it is used."""

    requested_kafka: Kafka | None
    requested_postgres: Postgres | None

    @property
    def kafka(self) -> Kafka:
        if self.requested_kafka is None:
            raise LookupError("Kafka was not asked for: local_services(kafka=True)")
        return self.requested_kafka

    @property
    def postgres(self) -> Postgres:
        if self.requested_postgres is None:
            raise LookupError("PostgreSQL was not asked for: local_services(postgres=True)")
        return self.requested_postgres
