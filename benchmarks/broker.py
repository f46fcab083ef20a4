"""What the benchmarks do to a broker themselves: topics, the backlog, and reading alerts back."""

import time
from collections.abc import Iterable
from typing import Any

import orjson
from confluent_kafka import Consumer, KafkaError, Message, Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # it re-exports four of them by import alone
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
)

from benchmarks.ward import Message as WardMessage
from benchmarks.ward import ms_of

# The Java client's partitioner: a patient's readings arrive on the partition of the patient's lane.
PARTITIONER = {"partitioner": "murmur2_random"}
_QUIET = {"log_level": 4}
_NETWORK_MS = 40  # between a reading and its record's time, in a backlog
_FULL_QUEUE_PAUSE = 0.05
Answered = dict[tuple[str, int], float]


def create_topic(servers: str, topic: str, partitions: int) -> None:
    """Make *topic* with the broker's defaults."""
    admin = AdminClient({"bootstrap.servers": servers, **_QUIET})
    admin.create_topics([NewTopic(topic, partitions)])[topic].result(30)


def produce_backlog(servers: str, topic: str, messages: Iterable[WardMessage]) -> int:
    """Write *messages* as they would lie in the log had they been sent when they were observed.

    A topic of Vigil's gives records the time of their arrival; for as long as this takes the producer
    gives it, or a backlog of minutes would seem to have come in seconds. Returns how many were written.
    """
    _timestamps_by(servers, topic, "CreateTime")
    failures: list[KafkaError] = []
    producer = Producer({"bootstrap.servers": servers, "linger.ms": 20, **PARTITIONER})
    written = 0
    for message in messages:
        _produce(producer, topic, message, failures)
        written += 1
    producer.flush(60)
    _timestamps_by(servers, topic, "LogAppendTime")
    if failures:
        raise RuntimeError(f"{len(failures)} messages of the backlog were refused: {failures[0]}")
    return written


def _produce(producer: Producer, topic: str, message: WardMessage, failures: list[KafkaError]) -> None:
    def note(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failures.append(error)

    at_ms = message.observed_ms + _NETWORK_MS
    while True:
        try:
            producer.produce(topic, message.value, message.patient_id, timestamp=at_ms, on_delivery=note)
        except BufferError:
            producer.poll(_FULL_QUEUE_PAUSE)
        else:
            producer.poll(0)
            return


def _timestamps_by(servers: str, topic: str, kind: str) -> None:
    entry = ConfigEntry("message.timestamp.type", kind, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": servers, **_QUIET})  # must live until the answer is there
    admin.incremental_alter_configs([resource])[resource].result(30)


class AlertReader:
    """A pager's view of the alerts topic: committed records only, and when each start was seen."""

    def __init__(self, servers: str, topic: str) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": servers,
                "group.id": f"{topic}.reader",
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "log_level": 0,  # that the broker ends at last is no news
            }
        )
        self._consumer.subscribe([topic])
        self.started: Answered = {}
        self.alerts = 0

    def read(self, seconds: float) -> None:
        """Note the alert that comes within *seconds*, if one does."""
        message = self._consumer.poll(seconds)
        if message is None:
            return
        seen = time.monotonic()
        if (error := message.error()) is not None:
            raise RuntimeError(f"the alerts topic cannot be read: {error}")
        self._note(orjson.loads(message.value() or b"{}"), seen)

    def read_until(self, expected: Iterable[tuple[str, int]], timeout: float) -> int:
        """Read until every reading of *expected* has its start or time is up; return how many have none."""
        deadline = time.monotonic() + timeout
        missing = set(expected)
        while (missing := missing - self.started.keys()) and time.monotonic() < deadline:
            self.read(0.1)
        return len(missing)

    def close(self) -> None:
        self._consumer.close()

    def _note(self, alert: dict[str, Any], seen: float) -> None:
        self.alerts += 1
        if alert.get("phase") == "start" and alert.get("patient_id"):
            self.started.setdefault((alert["patient_id"], ms_of(alert["observed_at"])), seen)
