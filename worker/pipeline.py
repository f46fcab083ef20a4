"""The way of a batch: claimed, locked, evaluated, saved and queued for publishing, in one database transaction."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.bad_devices import DeviceResult
from domain.commands import Command
from domain.protocol import Protocol
from domain.wards import WardEvaluation, WardEvent, evaluate_ward
from persistence.alarms import Episode
from persistence.chart_cache import ChartCache, ChartKey
from persistence.charts import StoredChart
from persistence.dead_letters import DeadLetterRow
from persistence.devices import DeviceKey
from persistence.errors import DuplicateCommandError, DuplicateReadingError
from persistence.unit_of_work import UnitOfWork, unit_of_work
from persistence.wards import WardKey
from worker.batches import Batch
from worker.device_results import judge_devices, results_of
from worker.fault_points import FaultPoint, passing
from worker.lanes import lane_of
from worker.ledger import Counts, Known, Ledger, candidates
from worker.messages import Record, Refusal
from worker.messages.dead_letters import GivenUpBy, dead_letter_record
from worker.observability.labels import LoopPhase

_TURN_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a transaction came to, once it is committed."""

    records: int
    readings: int
    vitals: Mapping[str, int]
    refused: Sequence[tuple[Record, Refusal]]
    ticks: int
    counts: Counts
    lanes: frozenset[int]  # those in which something was queued that cannot wait for the next look at them
    seconds: Mapping[LoopPhase, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """What a batch is worked with; holds nothing that must survive."""

    engine: AsyncEngine
    protocol: Protocol
    lanes: int
    site: str
    group: str
    version: str
    cache: ChartCache = field(default_factory=ChartCache)
    suspects: set[DeviceKey] = field(default_factory=set)  # devices of which something could not be used

    async def handle_batch(self, batch: Batch) -> Outcome:
        """Store *batch*, evaluate what is new in it, and queue what must be said: all of it or nothing.

        A reading that was stored before is recognised and changes nothing. Raises LostClaimError if
        another worker has gone on with one of the partitions.
        """
        try:
            return await self._handle(batch, ask_all=False)
        except (DuplicateReadingError, DuplicateCommandError):
            return await self._handle(batch, ask_all=True)

    async def _handle(self, batch: Batch, *, ask_all: bool) -> Outcome:
        started = time.perf_counter()
        passing(FaultPoint.BEFORE_CLAIM)
        async with unit_of_work(self.engine, chart_cache=self.cache) as work:
            await work.progress.claim(batch.claims)
            charts = await self._lock(work, {item.chart_key for item in batch.items})
            known = await _known(work, batch, charts, ask_all=ask_all)
            evaluating = time.perf_counter()
            ledger = Ledger(charts, known, self.protocol, site=self.site, asks_all=ask_all)
            await _evaluate(work, ledger, batch)
            evaluated = time.perf_counter()
            results = results_of(batch, self.suspects)
            lanes, suspected = await self._save(work, ledger, batch.refused, results)
            passing(FaultPoint.BEFORE_COMMIT)
        passing(FaultPoint.AFTER_COMMIT)
        self._suspect(suspected)
        ended = time.perf_counter()
        return _outcome(
            ledger,
            lanes,
            batch,
            {
                LoopPhase.EVALUATE: evaluated - evaluating,
                LoopPhase.DB: ended - evaluated + evaluating - started,
            },
        )

    async def handle_ticks(self, keys: Sequence[ChartKey], at: datetime) -> Outcome:
        """Let time pass up to *at* for those of *keys* that are due then.

        No claim is needed: the charts' locks and the lane's row order it among everything else.
        """
        async with unit_of_work(self.engine, chart_cache=self.cache) as work:
            charts = await self._lock(work, set(keys))
            ledger = Ledger(charts, Known(), self.protocol, site=self.site)
            for key in keys:
                ledger.take_tick(key, at)
            lanes, _ = await self._save(work, ledger)
        return _outcome(ledger, lanes)

    async def tell_wards(self, gather: Callable[[UnitOfWork], Awaitable[Sequence[WardEvent]]]) -> Outcome:
        """Work what *gather* returns into the wards it is about, in one transaction with what *gather* writes."""
        async with unit_of_work(self.engine) as work:
            ledger = Ledger({}, Known(), self.protocol, site=self.site)
            ledger.ward_events.extend(await gather(work))
            lanes, _ = await self._save(work, ledger)
        return _outcome(ledger, lanes)

    async def know_suspects(self) -> None:
        """Learn which devices any worker found something unusable of."""
        before = set(self.suspects)
        async with unit_of_work(self.engine) as work:
            known = await work.devices.suspects()
        meanwhile = self.suspects - before  # of a batch that was committed after the question was asked
        self.suspects.clear()
        self.suspects.update(known, meanwhile)

    def _suspect(self, suspected: Mapping[DeviceKey, bool]) -> None:
        for key, is_suspect in suspected.items():
            (self.suspects.add if is_suspect else self.suspects.discard)(key)

    async def _lock(self, work: UnitOfWork, keys: set[ChartKey]) -> dict[ChartKey, StoredChart]:
        if not keys:
            return {}
        return await work.charts.lock({key: lane_of(key.patient_id, self.lanes) for key in keys})

    async def _save(
        self,
        work: UnitOfWork,
        ledger: Ledger,
        refused: Sequence[tuple[Record, Refusal]] = (),
        results: Sequence[DeviceResult] = (),
    ) -> tuple[frozenset[int], Mapping[DeviceKey, bool]]:
        """Write what *ledger* gathered, in the order in which rows are locked; the lanes come last."""
        ledger.close()
        await self._judge_wards(work, ledger)
        suspected = await judge_devices(work, ledger, results, protocol=self.protocol, lanes=self.lanes)
        if ledger.readings:
            await work.readings.add(ledger.readings)
        passing(FaultPoint.AFTER_INSERT)
        await work.commands.add(ledger.commands)
        await work.ticks.add(ledger.ticks)
        if ledger.changed:
            await work.charts.save(ledger.before_seq, ledger.changed)
        if ledger.episodes:
            await work.alarms.save(ledger.episodes)
        # A transaction in every lane for every batch, for dead letters alone, would make the alerts wait.
        urgent = frozenset(ledger.outgoing)
        await work.dead_letters.add(self._dead_letters(ledger, refused))
        if ledger.outgoing:
            await work.outbox.append(ledger.outgoing)
        return urgent, suspected

    def _dead_letters(self, ledger: Ledger, refused: Sequence[tuple[Record, Refusal]]) -> list[DeadLetterRow]:
        """Queue a dead letter for each refusal, in the lane of its input partition; returns the rows."""
        rows = []
        by = GivenUpBy(group=self.group, version=self.version, protocol_hash=self.protocol.digest)
        for record, refusal in (*refused, *ledger.refused):
            row, outgoing = dead_letter_record(record, refusal, by)
            rows.append(row)
            ledger.outgoing.setdefault(record.partition % self.lanes, []).append(outgoing)
        return rows

    async def _judge_wards(self, work: UnitOfWork, ledger: Ledger) -> None:
        """Tell the wards what happened that concerns them as a whole: which devices fell silent or came back."""
        events: dict[WardKey, list[WardEvent]] = {}
        for event in ledger.ward_events:
            events.setdefault(WardKey(event.ward, event.mode), []).append(event)
        if not events:
            return
        wards = await work.wards.lock({key: lane_of(key.ward, self.lanes) for key in events})
        judged = {key: evaluate_ward(wards[key], some, self.protocol) for key, some in events.items()}
        for key, evaluation in judged.items():
            ledger.say(wards[key].lane, evaluation.alerts)
            ledger.episodes.extend(_ward_episodes(evaluation))
        before = {key: ward.ward_seq for key, ward in wards.items()}
        await work.wards.save(before, [evaluation.ward for evaluation in judged.values()])


async def _evaluate(work: UnitOfWork, ledger: Ledger, batch: Batch) -> None:
    """Take everything of *batch* in, with a turn for the event loop now and then, and a word to the database.

    A backlog may need longer than a transaction may be silent: without the word it was cut off each time, for ever.
    """
    since = time.perf_counter()
    for item in batch.items:
        ledger.take(item)
        if time.perf_counter() - since > _TURN_SECONDS:
            await asyncio.sleep(0)
            await work.activity.show()
            since = time.perf_counter()


async def _known(
    work: UnitOfWork, batch: Batch, charts: Mapping[ChartKey, StoredChart], *, ask_all: bool
) -> Known:
    """What of *batch* is stored already, asked only where it can be."""
    asked = candidates(batch, charts, ask_all=ask_all)
    readings, taken = await work.readings.existing(asked) if asked else (set(), set())
    command_ids = [item.entry.command_id for item in batch.items if isinstance(item.entry, Command)]
    commands = await work.commands.existing(command_ids) if command_ids else set()
    return Known(readings=readings, taken=taken, commands=commands)


def _ward_episodes(evaluation: WardEvaluation) -> list[Episode]:
    ward = evaluation.ward
    ended = {alert.episode_id: alert.ended_at for alert in evaluation.alerts}
    alarms = [(alarm, ended[alarm.episode_id]) for alarm in evaluation.ended]
    alarms.extend((alarm, None) for alarm in ward.alarms.values())
    return [
        Episode(alarm=alarm, mode=ward.mode, updated_seq=ward.ward_seq, ward=ward.ward, ended_at=ended_at)
        for alarm, ended_at in alarms
    ]


def _outcome(
    ledger: Ledger,
    lanes: frozenset[int],
    batch: Batch | None = None,
    seconds: Mapping[LoopPhase, float] | None = None,
) -> Outcome:
    return Outcome(
        records=batch.size if batch else 0,
        readings=len(ledger.readings),
        vitals=Counter(row.vital_sign for row in ledger.readings),
        refused=[*(batch.refused if batch else ()), *ledger.refused],
        ticks=sum(row.kind == "due" for row in ledger.ticks),
        counts=ledger.counts,
        lanes=lanes,
        seconds=seconds or {},
    )
