"""An independent listener on the alerts: when each could be read, and what a plain terminal shows of it."""

import json
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from confluent_kafka import Consumer, Message, TopicPartition

from deploy.local.accounts import ALERTS, Installation

# No reading led to these, so there is no reading to measure from.
_BY_CLOCK = {"signal_overdue", "ward_silent"}


@dataclass(slots=True)
class Listener:
    """Reads the alerts as a pager would, read committed, and notes how long after its reading each came."""

    installation: Installation
    say: Callable[[str], None]
    seconds: list[float] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        ready = threading.Event()
        self._thread = threading.Thread(target=self._listen, args=[ready], name="listener", daemon=True)
        self._thread.start()
        ready.wait(timeout=30)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def percentile(self, share: float) -> float | None:
        """The latency in seconds that *share* of the alerts did not exceed."""
        ordered = sorted(self.seconds)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else None

    def _listen(self, ready: threading.Event) -> None:
        with closing(Consumer(_settings(self.installation))) as consumer:
            known = consumer.list_topics(timeout=10).topics
            topics = [self.installation.topic(name) for name in ALERTS]
            consumer.assign(
                [TopicPartition(topic, number, 0) for topic in topics for number in known[topic].partitions]
            )
            ready.set()
            while not self._ended.is_set():
                message = consumer.poll(0.2)
                if message is not None and message.error() is None:
                    self._take(message, time.time())

    def _take(self, message: Message, now: float) -> None:
        alert = json.loads(message.value() or b"")
        if alert["reason"] not in _BY_CLOCK:
            self.seconds.append(now - datetime.fromisoformat(alert["received_at"]).timestamp())
        self.say(line(alert))


def line(alert: dict[str, Any]) -> str:
    """One alert on one line: when, how urgent, what happened, where, what."""
    location = alert["location"]
    where = f"{location['ward'] or '-'}/{location['bed'] or '-'}"
    return (
        f"{alert['determined_at'][11:19]}  {alert['priority'].upper():<6}  {alert['phase']:<10}  {where:<8}  "
        f"{alert['title']} [{alert['mode']}]"
    )


def _settings(installation: Installation) -> dict[str, Any]:
    return {
        "bootstrap.servers": installation.bootstrap_servers,
        "group.id": f"{installation.group}.listener",
        "enable.auto.commit": False,
        "isolation.level": "read_committed",
        "auto.offset.reset": "earliest",
        "fetch.wait.max.ms": 10,
    }
