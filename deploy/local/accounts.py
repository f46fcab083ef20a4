"""Is everything accounted for? Topics and tables counted and compared by an independent reader.

Reads with confluent-kafka and psycopg and imports nothing of Vigil, so that what it finds is no echo of
Vigil's own counters.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import psycopg
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from deploy.local.contents import Content, Place, milliseconds, readings_in, written

READINGS = "vitals.readings.v1"
COMMANDS = "vitals.commands.v1"
ALERTS = ("vitals.alerts.v1", "vitals.alerts.test.v1")
DEAD_LETTERS = "vitals.dead-letters.v1"
_READ_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """One Vigil: its broker, its database, and what sets its topics and groups apart."""

    bootstrap_servers: str
    dsn: str
    topic_prefix: str = ""
    group: str = "vigil"

    def topic(self, name: str) -> str:
        return f"{self.topic_prefix}{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """What was found. *wrong* names everything that does not add up; nothing in it is a patient's."""

    sets: int  # records on the readings topic
    sent: int  # readings in them
    stored: int
    rejected: int
    duplicates: int
    commands: int
    alerts: Counter[str]  # by priority
    wrong: list[str] = field(default_factory=list)


def balance(installation: Installation) -> Accounts:
    """Read all topics and tables and compare them; call it when everything has come to rest."""
    log = _Log.read(installation)
    with closing(psycopg.connect(installation.dsn)) as connection:
        stored = Counter(_stored(connection))
        given_up = set(_given_up(connection))
        commands = len(connection.execute("SELECT command_id FROM commands").fetchall())
        queued = Counter(_queued_alerts(connection))
    accepted = Counter(content for place, content in log.readings if place not in log.rejected)
    return Accounts(
        sets=log.sets,
        sent=len(log.readings),
        stored=stored.total(),
        rejected=sum(place in log.rejected for place, _ in log.readings),
        duplicates=accepted.total() - len(accepted),
        commands=commands,
        alerts=Counter(priority for _, priority in log.alerts),
        wrong=[
            *_compared("readings", Counter(accepted.keys()), stored),
            *_compared("dead letters", Counter(log.dead_letters), Counter(given_up)),
            *_compared("alerts", Counter(log.alerts), queued),
            *_compared("commands", Counter({"command": len(log.commands)}), Counter({"command": commands})),
        ],
    )


def is_at_rest(installation: Installation) -> bool:
    """Whether all input has been taken in and all output published."""
    return not any(unfinished(installation))


def unfinished(installation: Installation) -> tuple[int, int]:
    """How many records of the input have not been taken in, and how many of the output not published."""
    with closing(psycopg.connect(installation.dsn)) as connection:
        progress = {
            (topic, partition): offset
            for topic, partition, offset in connection.execute(
                "SELECT topic, partition, next_offset FROM progress"
            )
        }
        lanes: dict[int, int] = dict(connection.execute("SELECT lane, last_seq FROM lanes").fetchall())
    with closing(_consumer(installation, f"{installation.group}.published")) as consumer:
        inputs = _partitions(consumer, [installation.topic(READINGS), installation.topic(COMMANDS)])
        ends = {(each.topic, each.partition): _end(consumer, each) for each in inputs}
        outputs = [TopicPartition(installation.topic(ALERTS[0]), lane) for lane in lanes]
        cursors = {each.partition: max(each.offset, 0) for each in consumer.committed(outputs, timeout=10)}
    untaken = sum(max(0, end - progress.get(place, 0)) for place, end in ends.items())
    return untaken, sum(max(0, last - cursors.get(lane, 0)) for lane, last in lanes.items())


@dataclass(frozen=True, slots=True)
class Record:
    """A committed record."""

    topic: str
    partition: int
    offset: int
    value: bytes
    headers: Mapping[str, str]


def records(installation: Installation, *names: str) -> Iterator[Record]:
    """Every committed record of the topics, from their beginning to their present end."""
    with closing(_consumer(installation, f"{installation.group}.accounts")) as consumer:
        waiting = _partitions(consumer, [installation.topic(name) for name in names])
        consumer.assign([TopicPartition(each.topic, each.partition, 0) for each in waiting])
        unread = {(each.topic, each.partition) for each in waiting}
        while unread:
            message = consumer.poll(_READ_SECONDS)
            if message is None:
                raise TimeoutError(f"no record within {_READ_SECONDS:g} s")
            error = message.error()
            if error is None:
                yield _record(message)
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  that is its public name
                unread.discard((message.topic(), message.partition()))
            else:
                raise KafkaException(error)


@dataclass(slots=True)
class _Log:
    """What stands in the topics."""

    sets: int = 0
    readings: list[tuple[Place, Content]] = field(default_factory=list)
    rejected: set[Place] = field(default_factory=set)
    dead_letters: list[Place] = field(default_factory=list)
    commands: set[str] = field(default_factory=set)
    alerts: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def read(cls, installation: Installation) -> "_Log":
        log = cls()
        for record in records(installation, READINGS):
            log._take_set(record)
        for record in records(installation, COMMANDS):
            log.commands.add(json.loads(record.value)["command_id"])
        for record in records(installation, DEAD_LETTERS):
            log.dead_letters.append(_origin(record))
        for record in records(installation, *ALERTS):
            log.alerts.append((record.headers["ce_id"], json.loads(record.value)["priority"]))
        letters = set(log.dead_letters)
        whole = {place for place in letters if place.position == 0}
        log.rejected = {place for place, _ in log.readings if place in letters or _record_of(place) in whole}
        return log

    def _take_set(self, record: Record) -> None:
        self.sets += 1
        for position, content in enumerate(readings_in(record.value), start=1):
            self.readings.append((Place(record.topic, record.partition, record.offset, position), content))


def _record(message: Message) -> Record:
    headers = {name: (value or b"").decode(errors="replace") for name, value in _pairs(message.headers())}
    return Record(
        message.topic() or "",
        message.partition() or 0,
        message.offset() or 0,
        message.value() or b"",
        headers,
    )


def _pairs(headers: Any) -> Iterator[tuple[str, bytes | None]]:  # noqa: ANN401  a list, a mapping or nothing
    yield from (headers.items() if isinstance(headers, Mapping) else headers or ())


def _record_of(place: Place) -> Place:
    return Place(place.topic, place.partition, place.offset, 0)


def _origin(record: Record) -> Place:
    headers = record.headers
    return Place(
        headers["dlq-original-topic"],
        int(headers["dlq-original-partition"]),
        int(headers["dlq-original-offset"]),
        int(headers["dlq-position"]),
    )


def _stored(connection: psycopg.Connection[Any]) -> Iterator[Content]:
    rows = connection.execute(
        "SELECT c.patient_id, c.mode, r.device_id, r.vital_sign, coalesce(r.site, ''), r.observed_at, r.value "
        "FROM readings r JOIN charts c USING (chart_id)"
    )
    for patient_id, mode, device_id, vital_sign, site, observed_at, value in rows:
        yield Content(
            patient_id, mode, device_id, vital_sign, site, milliseconds(observed_at), written(value)
        )


def _given_up(connection: psycopg.Connection[Any]) -> Iterator[Place]:
    rows = connection.execute('SELECT topic, partition, "offset", position FROM dead_letters')
    yield from (Place(*row) for row in rows)


def _queued_alerts(connection: psycopg.Connection[Any]) -> Iterator[tuple[str, str]]:
    """The alerts' ids and priorities from the outbox, which keeps what it has published for a while."""
    rows = connection.execute(
        "SELECT ce_id::text, convert_from(value, 'UTF8')::json ->> 'priority' FROM outbox "
        "WHERE topic IN ('alerts', 'alerts_test')"
    )
    yield from rows


def _compared(what: str, in_topics: Counter[Any], in_tables: Counter[Any]) -> list[str]:
    wrong = []
    for missing, told in (
        (in_topics - in_tables, "in the topics and not in the database"),
        (in_tables - in_topics, "in the database and not in the topics"),
    ):
        if missing:
            wrong.append(f"{what}: {missing.total()} {told}")
    return wrong


def _consumer(installation: Installation, group: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": installation.bootstrap_servers,
            "group.id": group,
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
        }
    )


def _partitions(consumer: Consumer, topics: Iterable[str]) -> list[TopicPartition]:
    known = consumer.list_topics(timeout=10).topics
    return [TopicPartition(topic, number) for topic in topics for number in known[topic].partitions]


def _end(consumer: Consumer, partition: TopicPartition) -> int:
    _, end = consumer.get_watermark_offsets(partition, timeout=10, cached=False)
    return int(end)
