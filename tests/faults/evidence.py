"""What is out there when all has come to rest: every topic and table, read by confluent-kafka and psycopg alone."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from confluent_kafka import (
    TIMESTAMP_LOG_APPEND_TIME,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from psycopg.rows import namedtuple_row

from deploy.local.accounts import COMMANDS, DEAD_LETTERS, READINGS, Installation

ROLES = {
    "alerts": "vitals.alerts.v1",
    "alerts_test": "vitals.alerts.test.v1",
    "alarm_state": "vitals.alarm-state.v1",
    "dead_letters": DEAD_LETTERS,
}
_READ_SECONDS = 60.0


class Record(NamedTuple):
    """A committed record."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]

    @property
    def place(self) -> tuple[str, int, int]:
        return self.topic, self.partition, self.offset

    def header(self, name: str) -> str | None:
        """The header of that name as text; the last one counts."""
        found = [value for each, value in self.headers if each == name]
        return found[-1].decode(errors="replace") if found and found[-1] is not None else None


class StoredReading(NamedTuple):
    """A row of readings, with the patient it belongs to."""

    chart_id: int
    patient_id: str
    mode: str
    chart_seq: int
    reading_id: UUID
    device_id: str
    vital_sign: str
    site: str | None
    observed_at: datetime
    value: float | None
    correlation_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All of it; nothing is judged yet."""

    installation: Installation
    read_at: datetime
    readings_in: list[Record]
    commands_in: list[Record]
    out: dict[str, list[Record]]  # by role, each partition in the order of its log
    readings: list[StoredReading]
    charts: list[Any]
    ticks: list[Any]
    commands: list[Any]
    dead_letters: list[Any]
    outbox: list[Any]
    lanes: dict[int, int]  # the number last given in each
    cursors: dict[int, int]  # the number last published in each


def gather(installation: Installation, read_at: datetime) -> Evidence:
    """Read all there is; call it when no worker runs."""
    with closing(psycopg.connect(installation.dsn, row_factory=namedtuple_row)) as connection:
        tables = {name: connection.execute(query).fetchall() for name, query in _QUERIES.items()}
    readings = [StoredReading(*row) for row in tables.pop("readings")]
    lanes = {row.lane: row.last_seq for row in tables.pop("lanes")}
    return Evidence(
        installation=installation,
        read_at=read_at,
        readings_in=list(records(installation, READINGS)),
        commands_in=list(records(installation, COMMANDS)),
        out={role: list(records(installation, name)) for role, name in ROLES.items()},
        readings=readings,
        lanes=lanes,
        cursors=cursors(installation, lanes),
        **tables,
    )


_QUERIES = {
    "readings": "SELECT chart_id, patient_id, mode, r.chart_seq, reading_id, device_id, vital_sign, site, observed_at,"
    " value, correlation_id FROM readings r JOIN charts USING (chart_id)",
    "charts": "SELECT chart_id, patient_id, mode, lane, chart_seq, due_at, form FROM charts",
    "ticks": "SELECT chart_id, chart_seq, at FROM ticks",
    "commands": "SELECT command_id, chart_id, chart_seq, correlation_id FROM commands",
    "dead_letters": 'SELECT topic, partition, "offset", position, reason, key, value FROM dead_letters',
    "outbox": "SELECT lane, seq, topic, key, value FROM outbox",
    "lanes": "SELECT lane, last_seq FROM lanes",
}


def cursors(installation: Installation, lanes: Iterable[int]) -> dict[int, int]:
    """How far each lane has been published; what is in doubt just now is not waited for."""
    topic = installation.topic(ROLES["alerts"])
    group = f"{installation.group}.published"
    with closing(_consumer(installation, group, isolation="read_uncommitted")) as consumer:
        asked = [TopicPartition(topic, lane) for lane in lanes]
        return {each.partition: max(each.offset, 0) for each in consumer.committed(asked, timeout=10)}


def ends(installation: Installation, name: str) -> dict[tuple[str, int], int]:
    """Where each partition of a topic ends."""
    topic = installation.topic(name)
    with closing(_consumer(installation, f"{installation.group}.checker")) as consumer:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        places = [TopicPartition(topic, number) for number in partitions]
        return {
            (each.topic, each.partition): consumer.get_watermark_offsets(each, timeout=10, cached=False)[1]
            for each in places
        }


def records(installation: Installation, name: str) -> Iterator[Record]:
    """Every committed record of a topic, from its beginning to its present end."""
    topic = installation.topic(name)
    with closing(_consumer(installation, f"{installation.group}.checker")) as consumer:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
        unread = set(partitions)
        while unread:
            message = consumer.poll(_READ_SECONDS)
            if message is None:
                raise TimeoutError(f"no record within {_READ_SECONDS:g} s")
            error = message.error()
            if error is None:
                yield _record(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                unread.discard(message.partition())
            else:
                raise KafkaException(error)


def _record(message: Message) -> Record:
    kind, timestamp = message.timestamp()
    return Record(
        message.topic(),
        message.partition(),
        message.offset(),
        timestamp,
        1 if kind == TIMESTAMP_LOG_APPEND_TIME else 0,
        message.key(),
        message.value(),
        tuple(message.headers() or ()),
    )


def _consumer(installation: Installation, group: str, *, isolation: str = "read_committed") -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": installation.bootstrap_servers,
            "group.id": group,
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": isolation,
            "auto.offset.reset": "earliest",
            "log_level": 0,
        }
    )
