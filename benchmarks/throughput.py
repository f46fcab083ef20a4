"""Throughput: a backlog, drained by the worker, by the tutorial way and by the floor, in turns."""

import statistics
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.broker import AlertReader, create_topic, produce_backlog
from benchmarks.draining import Drain, drain
from benchmarks.programs import Vigil, running
from benchmarks.ward import SIGNS, Message, Ward
from deploy.local import Services
from deploy.local.workspace import Workspace
from worker.supervision.counting import AUTO, how_many, usable_processors

_DRAIN_SECONDS = 150.0
_ALERT_SECONDS = 20.0
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be drained, and how often."""

    readings: int = 200_000
    tutorial_readings: int = 2_000
    auto_commit_readings: int = 8_000
    patients: int = 500
    partitions: int = 6
    alarming_share: float = 0.001
    readings_per_s: int = 500  # of the ward that left the backlog: one a second from each bed
    repeat: int = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where things are measured."""

    services: Services
    workspace: Workspace
    say: Say


@dataclass(frozen=True, slots=True)
class Backlog:
    """What stands in the topic: *since* is the first single reading's time."""

    since: datetime
    alarming: frozenset[tuple[str, int]]


@dataclass(slots=True)
class Throughput:
    """Every run's rate, in readings per second."""

    vigil: list[Drain] = field(default_factory=list)
    one_process: list[Drain] = field(default_factory=list)
    tutorial: list[Drain] = field(default_factory=list)
    tutorial_auto_commit: list[Drain] = field(default_factory=list)
    floor: list[Drain] = field(default_factory=list)
    alarming: int = 0
    unanswered: int = 0


def median_rate(drains: list[Drain]) -> float:
    """Return the median of the runs' rates."""
    return statistics.median(each.readings_per_s for each in drains)


def measure_throughput(place: Place, plan: Plan) -> Throughput:
    """Drain the backlogs in turns, so that a slow minute of the machine slows all of them."""
    result = Throughput()
    baselines = _Baselines(place, plan)
    for turn in range(1, plan.repeat + 1):
        result.tutorial.append(baselines.tutorial(turn))
        if turn == 1:  # only told beside the others
            result.tutorial_auto_commit.append(baselines.tutorial(turn, "--auto-commit"))
        result.floor.append(baselines.floor(turn))
        for drains, processes in ((result.vigil, AUTO), (result.one_process, "1")):
            measured, alarming, unanswered = measure_vigil(
                place, plan, f"bench{turn}-{processes}.", processes=processes
            )
            drains.append(measured)
            result.alarming += alarming
            result.unanswered += unanswered
    return result


def processes_of(asked: str, partitions: int) -> int:
    """How many processes the worker has here."""
    return how_many(asked, processors=usable_processors(), partitions=partitions)


def measure_vigil(
    place: Place, plan: Plan, prefix: str, *, processes: str = AUTO, profile: Path | None = None
) -> tuple[Drain, int, int]:
    """Drain the backlog with one worker; return its rate, how many alerts were due and how many are missing."""
    servers = place.services.kafka.bootstrap_servers
    with place.services.postgres.database() as database:
        vigil = Vigil(servers, database, prefix, plan.partitions, processes)
        at_once = processes_of(processes, plan.partitions)
        vigil.set_up()
        backlog = _produce(servers, vigil.readings_topic, plan, plan.readings, with_sets=True)
        rows = plan.readings + plan.patients * len(SIGNS)
        alerts = closing(AlertReader(servers, vigil.alerts_topic))
        with alerts as reader, vigil.worker(place.workspace, profile=profile) as worker:
            timeout = _DRAIN_SECONDS * (2 if profile else 1)
            measured = drain(
                database.dsn, worker, rows=rows, since=backlog.since, timeout=timeout, at_once=at_once
            )
            missing = reader.read_until(backlog.alarming, _ALERT_SECONDS)
    place.say(
        f"vigil, processes {processes}: {measured.readings_per_s:,.0f} readings/s, {measured.cpu_us_per_reading:.0f} µs of CPU each"
    )
    return measured, len(backlog.alarming), missing


class _Baselines:
    """The two ways beside ours; their topics are filled once and read by a new group each time."""

    def __init__(self, place: Place, plan: Plan) -> None:
        self._place = place
        self._plan = plan
        self._servers = place.services.kafka.bootstrap_servers
        self._since: dict[str, datetime] = {}

    def floor(self, turn: int) -> Drain:
        with self._place.services.postgres.database() as database:
            return self._drain("floor", database.dsn, database.dsn, self._plan.readings, turn)

    def tutorial(self, turn: int, *options: str) -> Drain:
        plan = self._plan
        readings = plan.auto_commit_readings if options else plan.tutorial_readings
        with self._place.services.postgres.database() as database:
            return self._drain("tutorial", database.dsn, database.url, readings, turn, *options)

    def _drain(self, name: str, dsn: str, address: str, readings: int, turn: int, *options: str) -> Drain:
        topic = f"benchmarks.{readings}"
        if topic not in self._since:
            create_topic(self._servers, topic, self._plan.partitions)
            self._since[topic] = _produce(self._servers, topic, self._plan, readings).since
        group = ".".join((topic, name, str(turn), *options))
        arguments = ["-m", f"benchmarks.{name}", self._servers, address, topic, group, *options]
        with running(self._place.workspace, name, arguments) as program:
            since, timeout = self._since[topic], _DRAIN_SECONDS
            measured = drain(dsn, program, rows=readings, since=since, timeout=timeout)
        self._place.say(f"{' '.join((name, *options))}: {measured.readings_per_s:,.0f} readings/s")
        return measured


def _produce(servers: str, topic: str, plan: Plan, readings: int, *, with_sets: bool = False) -> Backlog:
    """Leave the backlog of a ward that has sent until now: its sets first, then its single readings."""
    now_ms = time.time_ns() // 1_000_000
    start_ms = now_ms - readings * 1000 // plan.readings_per_s
    ward = Ward(plan.patients, alarming_share=plan.alarming_share)
    singles = [ward.next_reading(start_ms + i * 1000 // plan.readings_per_s) for i in range(readings)]
    sets: list[Message] = list(ward.full_sets(start_ms - 2 * plan.patients)) if with_sets else []
    produce_backlog(servers, topic, [*sets, *singles])
    since = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=start_ms)
    alarming = frozenset((each.patient_id, each.observed_ms) for each in singles if each.is_alarming)
    return Backlog(since, alarming)
