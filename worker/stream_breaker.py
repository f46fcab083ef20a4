"""The stream breaker: a partition on which nothing can be used is paused, looked at again, and resumed by itself.

While it is paused, nothing of it is handled: what waits there is handled once, in log order, when the stream is good
again. A look at it reads the newest records and decides from them alone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from domain.observations import Mode
from domain.times import to_ms
from domain.wards import InputPause
from persistence.input_pauses import InputPauseRow
from persistence.unit_of_work import UnitOfWork, unit_of_work
from worker.accounting import count_alerts
from worker.batches import Batch
from worker.messages import Record
from worker.observability.labels import PauseReason, ProbeOutcome
from worker.observability.metrics import Metrics
from worker.pipeline import Outcome, Pipeline
from worker.positions import Position
from worker.topics import TopicNames
from worker.unusable import Place, first_usable, pause_before, unusable_in_a_row

PROBED = 50
"""Records at the end of a partition that are looked at."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Pause:
    row: InputPauseRow
    is_looked_at: bool = False  # what comes from it now is a look at its end, and not handled


class StreamBreaker:
    """Which partitions are paused because nothing on them can be used; the rows in the database outlast us."""

    def __init__(  # noqa: PLR0913  it sits between the consumer, the pipeline and the metrics
        self,
        pipeline: Pipeline,
        names: TopicNames,
        metrics: Metrics,
        wake: Callable[[Iterable[int]], None],
        *,
        budget: int,
        first_pause: timedelta,
    ) -> None:
        self._pipeline, self._names, self._metrics, self._wake = pipeline, names, metrics, wake
        self._budget, self._first_pause = budget, first_pause
        self._unusable: dict[Place, int] = {}
        self._paused: dict[TopicPartition, _Pause] = {}
        self._known_bad: dict[Place, int] = {}  # up to this offset the budget does not count

    @property
    def paused(self) -> frozenset[TopicPartition]:
        """The partitions that are not handled."""
        return frozenset(self._paused)

    def forget(self) -> None:
        """The partitions are ours no longer, or not certainly so."""
        self._unusable.clear()
        self._paused.clear()
        self._known_bad.clear()
        self._show()

    async def restore(self, work: UnitOfWork, partitions: Iterable[TopicPartition]) -> None:
        """Know again what was paused before a restart or a change of hands."""
        rows = await work.input_pauses.standing(partitions)
        self._paused = {TopicPartition(row.topic, row.partition): _Pause(row) for row in rows}
        self._show()

    def note(self, batch: Batch) -> None:
        """Count what could not be used of a *batch* that is committed."""
        self._unusable = unusable_in_a_row(batch, self._unusable)
        for run in batch.runs:
            place = (run.topic, run.partition)
            bad_until = self._known_bad.get(place)
            if bad_until is not None and run.claim.following <= bad_until:
                self._unusable.pop(place, None)
            elif bad_until is not None:
                del self._known_bad[place]

    async def trip(self, consumer: AIOKafkaConsumer) -> None:
        """Pause every partition that is over its budget, and tell the wards whose patients are on it."""
        if not self._budget:
            return
        for place, count in self._unusable.items():
            partition = TopicPartition(*place)
            if count < self._budget or partition in self._paused:
                continue
            now = datetime.now(UTC)
            row = InputPauseRow(*place, now, 0, now + pause_before(0, self._first_pause))
            self._said(await self._pipeline.tell_wards(partial(_begin, row=row, lanes=self._pipeline.lanes)))
            consumer.pause(partition)
            self._paused[partition] = _Pause(row)
            log.error("input_paused", topic=place[0], partition=place[1], unusable_in_a_row=count)
        self._show()

    async def look_pass(
        self, consumer: AIOKafkaConsumer, positions: Mapping[TopicPartition, Position]
    ) -> None:
        """Begin to look at the end of each partition whose pause is over for now."""
        now = datetime.now(UTC)
        due = [
            partition
            for partition, pause in self._paused.items()
            if pause.row.retry_at <= now and not pause.is_looked_at and partition in positions
        ]
        if not due:
            return
        ends = await consumer.end_offsets(due)
        for partition in due:
            if partition in self._paused and partition in consumer.assignment():
                consumer.seek(partition, max(positions[partition].expected, ends[partition] - PROBED))
                self._paused[partition].is_looked_at = True
                consumer.resume(partition)

    async def look_at(
        self, consumer: AIOKafkaConsumer, partition: TopicPartition, records: Sequence[Record], expected: int
    ) -> None:
        """Decide from *records*, which lie at the end of a paused partition, whether work on it goes on."""
        pause = self._paused[partition]
        if not pause.is_looked_at:
            return  # on their way before it was paused: they come again
        usable = first_usable(records[:PROBED], self._names.commands)
        place = (partition.topic, partition.partition)
        if usable is None:
            consumer.pause(partition)
            pause.is_looked_at = False
            await self._postpone(pause)
            return
        self._said(await self._pipeline.tell_wards(partial(_end, place=place, at=datetime.now(UTC))))
        del self._paused[partition]
        self._unusable.pop(place, None)
        self._known_bad[place] = usable
        consumer.seek(partition, expected)
        self._metrics.input_probes.labels(outcome=ProbeOutcome.USABLE).inc()
        log.info("input_resumed", topic=partition.topic, partition=partition.partition)
        self._show()

    async def _postpone(self, pause: _Pause) -> None:
        tries = pause.row.tries + 1
        retry_at = datetime.now(UTC) + pause_before(tries, self._first_pause)
        pause.row = pause.row._replace(tries=tries, retry_at=retry_at)
        async with unit_of_work(self._pipeline.engine) as work:
            await work.input_pauses.postpone(pause.row)
        self._metrics.input_probes.labels(outcome=ProbeOutcome.UNUSABLE).inc()
        log.warning("input_still_unusable", topic=pause.row.topic, partition=pause.row.partition, tries=tries)

    def _said(self, outcome: Outcome) -> None:
        self._wake(outcome.lanes)
        count_alerts(self._metrics, outcome.counts)

    def _show(self) -> None:
        self._metrics.consumer_paused.labels(reason=PauseReason.UNUSABLE).set(len(self._paused))


async def _begin(work: UnitOfWork, *, row: InputPauseRow, lanes: int) -> list[InputPause]:
    """Note the pause; of a partition beyond the *lanes* those wards are told whose patients it has taken over."""
    lane = row.partition % lanes
    wards = sorted((await work.wards.on_lanes([lane]))[lane])
    await work.input_pauses.begin(row._replace(wards=wards))
    return _told((row.topic, row.partition), wards, row.paused_at, is_paused=True)


async def _end(work: UnitOfWork, *, place: Place, at: datetime) -> list[InputPause]:
    return _told(place, await work.input_pauses.end(*place), at, is_paused=False)


def _told(place: Place, wards: Sequence[str], at: datetime, *, is_paused: bool) -> list[InputPause]:
    subject = f"{place[0]}/{place[1]}"
    return [
        InputPause(ward=ward, mode=Mode.REAL, subject=subject, is_paused=is_paused, at_ms=to_ms(at))
        for ward in wards
    ]
