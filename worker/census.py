"""The census: how every admitted patient is watched, told from outside whatever the workers are at.

Made of what is stored (charts, the lanes' signs of life) and the database's time. With the database away it is made
of the last heartbeats, which tell numbers by ward and no names.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from domain.chart import Chart
from domain.observations import Mode
from domain.protocol import Protocol
from domain.times import to_ms
from domain.watch import Watch, WatchReason, WatchState
from domain.watching import patient_watch
from persistence.errors import is_transient
from persistence.unit_of_work import unit_of_work
from persistence.watching import CensusRows
from worker import startup
from worker.connections import client_arguments
from worker.errors import UnreachableError
from worker.settings import Settings
from worker.startup import Patience
from worker.topic_reading import TopicReader, begin_with_last, client_kept_quiet
from worker.topics import TopicNames, describe_topics, fewest_partitions, lane_count
from worker.watch_heading import PATIENCE, Expected, silent_lanes
from worker.watch_ward import WardView

_ANSWER_SECONDS = 10.0


class Source(StrEnum):
    """What a census was made of."""

    DATABASE = "database"
    HEARTBEATS = "heartbeats"  # the database did not answer
    NONE = "none"  # nor did the broker


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """One admitted patient and how they are watched."""

    patient_id: str
    mode: Mode
    ward: str
    bed: str | None
    lane: int
    watch: Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class WardCensus:
    """How many of a ward are watched how; the reason and the time where all of those not watched share them."""

    ward: str
    mode: Mode
    counts: dict[WatchState, int] = field(default_factory=lambda: dict.fromkeys(WatchState, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """Every admitted patient, worst first; *wards* alone where only heartbeats could be asked.

    *reason* and *since* tell why nobody is watched, where one cause takes them all.
    """

    at: datetime
    source: Source
    patients: Sequence[Patient] = ()
    wards: Sequence[WardCensus] = ()
    reason: WatchReason | None = None
    since: datetime | None = None

    @property
    def counts(self) -> dict[WatchState, int]:
        """How many are watched how."""
        return {state: sum(ward.counts[state] for ward in self.wards) for state in WatchState}

    @property
    def is_whole(self) -> bool:
        """Whether everybody is known to be watched in full."""
        lost = sum(number for state, number in self.counts.items() if state is not WatchState.WATCHED)
        return self.source is Source.DATABASE and not lost


async def census_now(
    settings: Settings, protocol: Protocol, *, ward: str | None = None, mode: Mode | None = None, wait: float
) -> Census:
    """Ask the database, else the last heartbeats, each for *wait* seconds. Raises OperatorError."""
    try:
        rows = await _rows(settings, ward, wait)
    except UnreachableError:
        return await _by_heartbeats(settings, ward, mode, wait)
    return census_of_rows(rows, protocol, mode)


async def _rows(settings: Settings, ward: str | None, wait: float) -> CensusRows:
    """What the database holds. Raises UnreachableError."""
    try:
        async with (
            startup.connected_database(settings, Patience(wait)) as engine,
            asyncio.timeout(_ANSWER_SECONDS),
        ):
            await startup.check_database(engine, settings)
            async with unit_of_work(engine) as work:
                return await work.watching.census(ward)
    except UnreachableError:
        raise
    except Exception as error:
        if isinstance(error, TimeoutError) or is_transient(error):
            raise UnreachableError("the database has gone while it was asked") from None
        raise


def census_of_rows(rows: CensusRows, protocol: Protocol, mode: Mode | None = None) -> Census:
    """The census of what is stored, at the moment it was read."""
    now_ms = to_ms(rows.at)
    charts = [chart for chart in rows.charts if mode in (None, chart.mode)]
    found = [_patient(chart, rows, protocol, now_ms) for chart in charts]
    patients = sorted((each for each in found if each is not None), key=_urgency)
    return Census(at=rows.at, source=Source.DATABASE, patients=patients, wards=_wards(patients))


def _patient(chart: Chart, rows: CensusRows, protocol: Protocol, now_ms: int) -> Patient | None:
    watch = patient_watch(chart, rows.signs.get(chart.lane), protocol, now_ms)
    if watch is None or chart.admission is None:
        return None
    return Patient(
        patient_id=chart.patient_id,
        mode=chart.mode,
        ward=chart.admission.ward,
        bed=chart.admission.bed,
        lane=chart.lane,
        watch=watch,
    )


def _urgency(patient: Patient) -> tuple[int, str, str, str, str]:
    worst_first = -list(WatchState).index(patient.watch.state)
    return worst_first, patient.ward, patient.bed or "", patient.patient_id, patient.mode


def _wards(patients: Iterable[Patient]) -> list[WardCensus]:
    wards: dict[tuple[str, Mode], WardCensus] = {}
    for each in patients:
        key = each.ward, each.mode
        wards.setdefault(key, WardCensus(ward=each.ward, mode=each.mode)).counts[each.watch.state] += 1
    return [wards[key] for key in sorted(wards)]


async def _by_heartbeats(settings: Settings, ward: str | None, mode: Mode | None, wait: float) -> Census:
    view = WardView(mode=mode, ward=ward)
    try:
        with client_kept_quiet():
            expected = await _read_heartbeats(settings, view, wait)
    except (UnreachableError, KafkaError, OSError, TimeoutError):
        return Census(at=datetime.now(UTC), source=Source.NONE, reason=WatchReason.DATABASE_AWAY)
    return census_of_heartbeats(view, expected, datetime.now(UTC))


async def _read_heartbeats(settings: Settings, view: WardView, wait: float) -> Expected:
    """Let *view* take in the last heartbeats of every lane."""
    names = TopicNames(settings.topic_prefix)
    async with startup.connected_admin(settings, Patience(wait)) as admin:
        states = await describe_topics(admin, names)
        lanes = lane_count(names, states, fewest_partitions(names, states))
    consumer = AIOKafkaConsumer(
        **client_arguments(settings), enable_auto_commit=False, isolation_level="read_committed"
    )
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            await consumer.start()
            beats = [TopicPartition(names.heartbeat, lane) for lane in range(lanes)]
            consumer.assign(beats)
            await begin_with_last(consumer, beats, await consumer.end_offsets(beats))
            await TopicReader(consumer, {names.heartbeat: view.take_heartbeat}).catch_up()
    finally:
        await consumer.stop()
    return Expected(lanes, timedelta(seconds=settings.heartbeat_interval * PATIENCE))


def census_of_heartbeats(view: WardView, expected: Expected, now: datetime) -> Census:
    """The numbers by ward: as each lane last told, and nobody watched whose lane has fallen silent."""
    silent = set(silent_lanes(view, expected, now))
    wards: dict[tuple[str, Mode], WardCensus] = {}
    for lane, told in view.patients.items():
        for each in told:
            if not view.wants(each.mode, each.ward):
                continue
            counts = wards.setdefault(
                (each.ward, each.mode), WardCensus(ward=each.ward, mode=each.mode)
            ).counts
            is_lost = lane in silent
            counts[WatchState.WATCHED] += 0 if is_lost else each.watched
            counts[WatchState.PARTLY] += 0 if is_lost else each.partly
            lost = each.watched + each.partly if is_lost else 0
            counts[WatchState.NOT_WATCHED] += each.not_watched + lost
    heard = [beat.at for lane, beat in view.heartbeats.items() if lane in silent]
    return Census(
        at=now,
        source=Source.HEARTBEATS,
        wards=[wards[key] for key in sorted(wards)],
        reason=WatchReason.DATABASE_AWAY,
        since=max(heard, default=None),
    )
