"""Latency: from publishing an alarming reading to its alert at a reader of committed records."""

import math
import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Producer

from benchmarks.broker import PARTITIONER, AlertReader, produce_backlog
from benchmarks.draining import wait_for_rows
from benchmarks.programs import Running, Vigil
from benchmarks.throughput import Place
from benchmarks.ward import SIGNS, Ward
from worker.supervision.counting import AUTO

# Of the publisher, which stands for a gateway: nothing waits to be sent in larger company, and nothing is sent twice.
# That also bounds the requests under way to five; one for each message would measure the broker's queue.
PUBLISHER: dict[str, Any] = {"linger.ms": 0, "acks": "all", "enable.idempotence": True, **PARTITIONER}
_SET_SECONDS = 60.0
_ALERT_SECONDS = 15.0
_MILLISECONDS = 1000.0
Sent = dict[tuple[str, int], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyPlan:
    """How many readings a second, one rate after the other on one worker, and for how long."""

    rates: tuple[int, ...] = (500, 5_000)
    seconds: float = 30.0
    warm_up_seconds: float = 6.0
    patients: int = 500
    partitions: int = 6
    alarming_share: float = 0.01


@dataclass(frozen=True, slots=True)
class Published:
    """What one rate's load was: when each alarming reading was sent, and how well the pace was kept."""

    rate: int
    sent: Sent  # by patient and observed time; of the measured part only
    readings_per_s: float
    behind_p99_ms: float


@dataclass(frozen=True, slots=True)
class Latency:
    """Publish-to-alert times of one rate, sorted, in milliseconds."""

    published: Published
    milliseconds: Sequence[float]
    unanswered: int

    def percentile(self, percent: float) -> float:
        """Return the nearest-rank percentile; 0 of nothing."""
        return percentile(self.milliseconds, percent)


def percentile(ascending: Sequence[float], percent: float) -> float:
    """Return the smallest value that *percent* of all do not exceed; 0 of nothing."""
    if not ascending:
        return 0.0
    return ascending[max(0, math.ceil(len(ascending) * percent / 100) - 1)]


def measure_latency(place: Place, plan: LatencyPlan, processes: str = AUTO) -> list[Latency]:
    """Load one worker at each rate in turn, without a break between them, and read its alerts."""
    servers = place.services.kafka.bootstrap_servers
    with place.services.postgres.database() as database:
        vigil = Vigil(servers, database, f"latency-{processes}.", plan.partitions, processes)
        vigil.set_up()
        sets = list(Ward(plan.patients, alarming_share=0).full_sets(time.time_ns() // 1_000_000))
        produce_backlog(servers, vigil.readings_topic, sets)
        alerts = closing(AlertReader(servers, vigil.alerts_topic))
        with alerts as reader, vigil.worker(place.workspace) as worker:
            wait_for_rows(database.dsn, worker, plan.patients * len(SIGNS), _SET_SECONDS)
            published = _read_under_load(servers, vigil.readings_topic, plan, reader, worker)
    return [_latency(each, reader.started) for each in published]


def _read_under_load(
    servers: str, topic: str, plan: LatencyPlan, reader: AlertReader, worker: Running
) -> list[Published]:
    # A process of its own, so that sending and reading do not wait for each other's interpreter.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        load: Future[list[Published]] = pool.submit(publish, servers, topic, plan)
        while not load.done():
            reader.read(0.1)
        worker.must_run()
        published = load.result()
    reader.read_until([key for each in published for key in each.sent], _ALERT_SECONDS)
    return published


def _latency(published: Published, started: Sent) -> Latency:
    times = [(started[key] - sent) * _MILLISECONDS for key, sent in published.sent.items() if key in started]
    return Latency(published, sorted(times), len(published.sent) - len(times))


def publish(servers: str, topic: str, plan: LatencyPlan) -> list[Published]:
    """Send at every rate of *plan*, each reading at its time whatever becomes of those before it."""
    producer = Producer({"bootstrap.servers": servers, **PUBLISHER})
    ward = Ward(plan.patients, alarming_share=plan.alarming_share, seed=2)
    published = [_publish_at(rate, producer, topic, ward, plan) for rate in plan.rates]
    producer.flush(30)
    return published


def _publish_at(rate: int, producer: Producer, topic: str, ward: Ward, plan: LatencyPlan) -> Published:
    warm_up = round(rate * plan.warm_up_seconds)
    total = warm_up + round(rate * plan.seconds)
    sent: Sent = {}
    behind = []
    start = time.monotonic()
    for i in range(total):
        due = start + i / rate
        _sleep_until(due, producer)
        message = ward.next_reading(time.time_ns() // 1_000_000)
        now = time.monotonic()
        producer.produce(topic, message.value, message.patient_id)
        behind.append((now - due) * _MILLISECONDS)
        if message.is_alarming and i >= warm_up:
            sent[message.patient_id, message.observed_ms] = now
    achieved = total / (time.monotonic() - start)
    return Published(rate, sent, achieved, percentile(sorted(behind), 99))


def _sleep_until(due: float, producer: Producer) -> None:
    producer.poll(0)
    pause = due - time.monotonic()
    if pause > 0:
        time.sleep(pause)
