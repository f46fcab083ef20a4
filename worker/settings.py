"""Every setting of Vigil in one class, with what is wrong about a wrong one in one line."""

import os
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from worker.database_parameters import check_parameters, without_secrets
from worker.errors import SettingsError

PREFIX = "VIGIL_"
ENV_FILE = ".env"
_DRIVER = "postgresql+asyncpg"

_NAME = r"^[A-Za-z0-9._-]*$"
_ADDRESS = re.compile(r"(?:\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9._-]+):(?P<port>[0-9]{1,5})")
_HIGHEST_PORT = 65535
# Named like settings, but for others: our tests, the compose file (which reads the same .env).
_OF_OTHERS = re.compile(r"VIGIL_(TEST_.*|FAULT_POINT|POSTGRES_PASSWORD|GRAFANA_PASSWORD)")
Seconds = Annotated[float, Field(gt=0, le=3600)]


class SecurityProtocol(StrEnum):
    """How the broker is spoken to."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"


class SaslMechanism(StrEnum):
    """How the worker proves who it is."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"


class Settings(BaseSettings):
    """What an operator can set: environment variables `VIGIL_…`, else `.env`, else these defaults."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=ENV_FILE, extra="ignore", frozen=True)

    kafka_bootstrap_servers: str = Field(
        default="127.0.0.1:9092", min_length=1, description="host:port of the brokers, parted by commas"
    )
    kafka_security_protocol: SecurityProtocol = Field(
        default=SecurityProtocol.PLAINTEXT, description="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL"
    )
    kafka_sasl_mechanism: SaslMechanism = Field(
        default=SaslMechanism.SCRAM_SHA_512, description="PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"
    )
    kafka_sasl_username: str | None = Field(default=None, description="the worker's name at the broker")
    kafka_sasl_password: SecretStr | None = Field(
        default=None, description="the worker's password at the broker"
    )
    kafka_ca_file: Path | None = Field(default=None, description="a PEM file with the broker's authority")
    kafka_certificate_file: Path | None = Field(
        default=None, description="a PEM file with the worker's certificate"
    )
    kafka_key_file: Path | None = Field(default=None, description="a PEM file with the worker's private key")

    group: str = Field(
        default="vigil", min_length=1, max_length=100, pattern=_NAME,
        description="1 to 100 letters, digits, dots, dashes; every worker of one Vigil has the same, another Vigil another",
    )  # fmt: skip
    instance_id: str | None = Field(
        default=None, max_length=100, pattern=_NAME,
        description="nothing, or a name that no other running worker has (static membership)",
    )  # fmt: skip
    topic_prefix: str = Field(
        default="", max_length=100, pattern=_NAME, description="nothing, or letters, digits, dots, dashes"
    )
    partitions: int = Field(
        default=6, ge=1, le=256, description="a whole number from 1 to 256, used by `vigil topics create`"
    )
    replication_factor: int = Field(
        default=1, ge=1, le=7, description="a whole number from 1 to 7, used by `vigil topics create`"
    )

    database_url: SecretStr = Field(
        default=SecretStr(f"{_DRIVER}://vigil:vigil@127.0.0.1:5432/vigil"),
        description=f"{_DRIVER}://user:password@host:port/database, and for TLS ?sslmode=verify-full&sslrootcert=FILE",
    )

    protocol: str = Field(
        default="ward-adult",
        min_length=1,
        description="the name of a shipped protocol, or the path of a TOML file",
    )
    site: str = Field(
        default="vigil", min_length=1, max_length=64, pattern=_NAME,
        description="1 to 64 letters, digits, dots, dashes; names this installation in what it publishes",
    )  # fmt: skip

    processes: str = Field(
        default="auto", pattern=r"^(auto|[1-9]|1[0-6])$",
        description="auto (one for every processor but one, at most 4 and one for each partition), or a whole number from 1 to 16",
    )  # fmt: skip
    http_host: str = Field(
        default="127.0.0.1", min_length=1, description="the address metrics and health are served on"
    )
    http_port: int = Field(
        default=8000, ge=0, le=65535, description="a port from 1 to 65535, or 0 for any free one"
    )
    log_format: Literal["auto", "json", "console"] = Field(
        default="auto", description="auto (console at a terminal, else json), json or console"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="DEBUG, INFO, WARNING or ERROR"
    )

    batch_max_records: int = Field(
        default=5000, ge=1, le=50_000, description="a whole number from 1 to 50000"
    )
    stream_budget: int = Field(
        default=500, ge=0,
        description="how many records in a row of one partition may be unusable before it is paused; 0: it never is",
    )  # fmt: skip
    stream_pause: Seconds = Field(
        default=5.0, description="seconds until such a partition is looked at again; they double, up to 30"
    )
    keep_readings_days: int = Field(
        default=400, ge=35, le=36_500,
        description="a whole number of days, 35 or more; `vigil db maintain` drops months of readings that are older",
    )  # fmt: skip
    keep_history_days: int = Field(
        default=400, ge=35, le=36_500,
        description="a whole number of days, 35 or more: commands, ticks, alarms that are over, dead letters",
    )  # fmt: skip
    keep_outgoing_days: int = Field(
        default=30, ge=15, le=36_500,
        description="a whole number of days, 15 or more: published records, and what repairs have noted; "
        "longer than the input topics keep theirs",
    )  # fmt: skip

    heartbeat_interval: Seconds = Field(
        default=5.0, description="seconds between two heartbeats of a lane, more than 0"
    )
    session_timeout: float = Field(
        default=8.0, ge=6, le=10,
        description="6 to 10 seconds: less is refused by brokers, more leaves a dead worker's patients unwatched",
    )  # fmt: skip
    transaction_timeout: float = Field(
        default=10.0, ge=1, le=10,
        description="1 to 10 seconds: a dead worker's open transaction hides its lane's alerts for so long",
    )  # fmt: skip
    timer_interval: Seconds = Field(
        default=1.0, description="seconds between two passes over the timers that are due"
    )
    shutdown_timeout: float = Field(default=8.0, ge=1, le=9, description="1 to 9 seconds")

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("instance_id", "kafka_sasl_username", "kafka_ca_file", "kafka_certificate_file", "kafka_key_file",
                     "kafka_sasl_password", mode="before")  # fmt: skip
    @classmethod
    def _nothing_is_none(cls, value: object) -> object:
        """An empty variable is what a compose file or a chart sends for "not set"."""
        return None if value == "" else value

    @field_validator("kafka_bootstrap_servers")
    @classmethod
    def _names_hosts_and_ports(cls, value: str) -> str:
        addresses = [each.strip() for each in value.split(",")]
        for address in addresses:
            read = _ADDRESS.fullmatch(address)
            if read is None or not 0 < int(read["port"]) <= _HIGHEST_PORT:
                raise ValueError("cannot be read as addresses")
        return ",".join(addresses)

    @field_validator("database_url")
    @classmethod
    def _names_the_driver(cls, value: SecretStr) -> SecretStr:
        try:
            url = make_url(value.get_secret_value())
        except ArgumentError:
            raise ValueError("cannot be read as an address") from None
        if url.drivername != _DRIVER or not url.database:
            raise ValueError(f"is not an address of a database through {_DRIVER}")
        check_parameters(url)
        return value

    @field_validator("kafka_ca_file", "kafka_certificate_file", "kafka_key_file")
    @classmethod
    def _exists(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError("is not a file that can be found")
        return value

    @model_validator(mode="after")
    def _sasl_has_a_name(self) -> Self:
        if self.kafka_security_protocol.startswith("SASL") and not (
            self.kafka_sasl_username and self.kafka_sasl_password
        ):
            raise ValueError(
                f"{PREFIX}KAFKA_SECURITY_PROTOCOL: {self.kafka_security_protocol} needs "
                f"{PREFIX}KAFKA_SASL_USERNAME and {PREFIX}KAFKA_SASL_PASSWORD"
            )
        return self


def load_settings(**overrides: object) -> Settings:
    """Read the settings; those of *overrides* that are not None come before any other. Raises SettingsError."""
    given: dict[str, Any] = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsError("\n".join(_line(one) for one in error.errors(include_url=False))) from None


def _fields() -> Mapping[str, FieldInfo]:
    return Settings.__pydantic_fields__


def _line(error: ErrorDetails) -> str:
    """One wrong setting: what is wrong, what would be right. The value of a secret is not shown."""
    if not error["loc"]:
        return error["msg"].removeprefix("Value error, ")
    name = str(error["loc"][0])
    field = _fields()[name]
    is_secret = "Secret" in str(field.annotation)
    given = "" if is_secret else f" {str(error['input'])!r}"
    # Only our own words: pydantic's say once more what the description says.
    ours = error["type"] == "value_error"
    wrong = error["msg"].removeprefix("Value error, ") if ours else "will not do"
    return f"{PREFIX}{name.upper()}:{given} {wrong}; it should be {field.description}"


def effective(settings: Settings) -> Iterable[tuple[str, str, str]]:
    """Yield (variable, value with secrets masked, where it came from) of every setting."""
    environment = {name.upper() for name in os.environ}
    env_file = {name.upper() for name in dotenv_values(ENV_FILE)}
    for name in _fields():
        variable = f"{PREFIX}{name.upper()}"
        origin = "environment" if variable in environment else ENV_FILE if variable in env_file else "default"
        yield variable, shown(name, getattr(settings, name)), origin


def shown(name: str, value: object) -> str:
    """*value* as it may be seen: an address without its password, other secrets not at all."""
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        secret = value.get_secret_value()
        return without_secrets(make_url(secret)) if name == "database_url" else "***"
    return str(value)


def fault_point() -> str | None:
    """What a test asks of the fault points. Not a setting: an operator never sees it, and never sets it."""
    return os.environ.get(f"{PREFIX}FAULT_POINT")


def unknown_variables(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Variables that begin like a setting and are none: most likely misspelt."""
    known = {f"{PREFIX}{name.upper()}" for name in _fields()}
    given = {*environment, *dotenv_values(ENV_FILE)}
    return sorted(
        name
        for name in given
        if name.upper().startswith(PREFIX)
        and name.upper() not in known
        and not _OF_OTHERS.fullmatch(name.upper())
    )
