"""The producer of the load: sends at a steady rate beside the test, and keeps what the broker has accepted."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from confluent_kafka import KafkaError, Producer
from confluent_kafka import Message as Delivered

from deploy.local.accounts import Installation
from tests.faults.evidence import Record
from tests.faults.load import READINGS_PER_SET, Load, Message, now

_TOPICS = {"readings": "vitals.readings.v1", "commands": "vitals.commands.v1"}
_STEP_S = 0.02
_FLUSH_S = 120.0


@dataclass(slots=True)
class Sent:
    """What the broker has accepted, by its place in the log.

    Where a fault deletes records: *kept* are those of them that had been taken in, *removed* is how many had not.
    """

    messages: dict[tuple[str, int, int], Message] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    offered: int = 0  # messages handed to the producer, accepted yet or not
    kept: list[Record] = field(default_factory=list)
    removed: int = 0
    is_over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def load_running(installation: Installation, load: Load, *, readings_per_s: float) -> Iterator[Sent]:
    """Send the load while the block runs; when it ends, all that was sent has been accepted."""
    sent = Sent()
    thread = threading.Thread(target=_send, args=(installation, load, readings_per_s, sent), name="load")
    thread.start()
    try:
        yield sent
    finally:
        sent.is_over.set()
        thread.join()
    if sent.failures:
        raise RuntimeError(f"the load could not be sent: {sent.failures[:3]}")


def _send(installation: Installation, load: Load, readings_per_s: float, sent: Sent) -> None:
    producer = Producer(
        {
            "bootstrap.servers": installation.bootstrap_servers,
            "enable.idempotence": True,
            "partitioner": "murmur2_random",  # as the Java client's default
            "delivery.timeout.ms": 300_000,
            "linger.ms": 5,
            "reconnect.backoff.max.ms": 1000,  # as the Java client's default
            "topic.metadata.refresh.interval.ms": 2_000,  # so that it soon writes to partitions that are added
            "log_level": 0,
        }
    )
    for message in load.admissions(now()):
        _produce(producer, installation, message, sent)
    begun, count = time.monotonic(), 0
    while not sent.is_over.is_set():
        elapsed = time.monotonic() - begun
        while count < elapsed * readings_per_s / READINGS_PER_SET:
            _produce(producer, installation, load.next_message(now(), elapsed), sent)
            count += 1
        producer.poll(0)
        sent.is_over.wait(_STEP_S)
    if producer.flush(_FLUSH_S):
        sent.failures.append("not all was accepted in time")


def _produce(producer: Producer, installation: Installation, message: Message, sent: Sent) -> None:
    def keep(error: KafkaError | None, delivered: Delivered) -> None:
        if error is not None:
            sent.failures.append(str(error))
            return
        sent.messages[delivered.topic(), delivered.partition(), delivered.offset()] = message

    sent.offered += 1
    producer.produce(installation.topic(_TOPICS[message.topic]), message.value, message.key, on_delivery=keep)
