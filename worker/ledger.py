"""The ledger: what one transaction will write, gathered in log order; it decides, and writes nothing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

import orjson
import structlog

from domain.alarms import Alarm
from domain.alerts import Alert, Flag
from domain.chart import Chart
from domain.chart_watch import chart_watch, watched_until_ms
from domain.commands import AcknowledgeAlarm, Admit, CloseAlarm, Command, Discharge, Move
from domain.evaluation import Course, Input, Said
from domain.freshness import is_certainly_new
from domain.limit_alarms import Verdict
from domain.observations import ObservationSet, Reading, Tick
from domain.protocol import Protocol
from domain.times import to_ms
from domain.unevaluated import Unevaluated, rule_of
from domain.wards import WardEvent
from persistence.alarms import Episode
from persistence.chart_cache import ChartKey
from persistence.charts import StoredChart
from persistence.commands import CommandRow
from persistence.outbox import OutgoingRecord
from persistence.readings import Candidate, ReadingKey, ReadingRow, Slot
from persistence.ticks import TickRow
from worker.batches import Batch, Item
from worker.messages import Record, Refusal, RefusalReason
from worker.messages.alerts import alarm_state_record, alert_record
from worker.messages.identity import text_of_id
from worker.messages.records import correlation_of
from worker.observability.labels import CommandName, CommandOutcome

_NAME_OF: Mapping[type[Command], CommandName] = {
    Admit: CommandName.ADMIT,
    Move: CommandName.MOVE,
    Discharge: CommandName.DISCHARGE,
    AcknowledgeAlarm: CommandName.ACKNOWLEDGE_ALARM,
    CloseAlarm: CommandName.CLOSE_ALARM,
}

log = structlog.get_logger(__name__)


def name_of(command: Command) -> CommandName:
    """The word for *command* on the wire, in the database and in metrics."""
    return _NAME_OF[type(command)]


@dataclass(slots=True)
class Known:
    """What is known already of what a batch brings: what the database has, and what came earlier in the batch."""

    readings: set[ReadingKey] = field(default_factory=set)
    taken: set[Slot] = field(default_factory=set)
    commands: set[UUID] = field(default_factory=set)


@dataclass(slots=True)
class Counts:
    """What a transaction did, for metrics and the log line."""

    duplicates: int = 0
    sets: int = 0
    verdicts: list[Verdict] = field(default_factory=list)
    late: Counter[str] = field(default_factory=Counter)  # by vital sign
    flags: Counter[Flag] = field(default_factory=Counter)
    commands: Counter[tuple[CommandName, CommandOutcome]] = field(default_factory=Counter)
    alerts: list[Alert] = field(default_factory=list)


def candidates(batch: Batch, charts: Mapping[ChartKey, StoredChart], *, ask_all: bool) -> list[Candidate]:
    """The readings of *batch* that may be stored already, or stand against one that is."""
    asked: list[Candidate] = []
    for item in batch.items:
        if not isinstance(item.entry, ObservationSet):
            continue
        stored = charts[item.chart_key]
        if ask_all or not is_certainly_new(stored.chart, item.entry):
            asked.extend(_candidate(stored.chart_id, item.entry, reading) for reading in item.entry.readings)
    return asked


def _candidate(chart_id: int, observation: ObservationSet, reading: Reading) -> Candidate:
    return Candidate(
        chart_id,
        observation.observed_at,
        reading.reading_id,
        observation.device_id,
        reading.vital_sign,
        reading.site,
    )


class _Working:
    """A chart while a transaction works with it."""

    __slots__ = ("before", "chart_id", "course", "ended", "protocol", "taken")

    def __init__(self, stored: StoredChart, protocol: Protocol) -> None:
        self.chart_id = stored.chart_id
        self.before = stored.chart
        self.protocol = protocol
        self.course = Course(stored.chart, protocol)
        self.taken: list[tuple[Input, bool]] = []
        self.ended: list[tuple[Alarm, datetime]] = []

    def take(self, entry: Input, *, is_conflict: bool = False) -> Said:
        """Work *entry* into the chart. If that raises, `rewind` must follow."""
        said = self.course.take(entry, is_conflict=is_conflict)
        self.taken.append((entry, is_conflict))
        return said

    def rewind(self, taken: int) -> None:
        """Be as after the first *taken* inputs: what raised has changed nothing then."""
        self.course = Course(self.before, self.protocol)
        del self.taken[taken:]
        for entry, is_conflict in self.taken:
            self.course.take(entry, is_conflict=is_conflict)

    def stored(self, after: Chart) -> StoredChart:
        """The chart as its row will be: with how its patient is watched, if one is admitted."""
        try:
            watch = chart_watch(after, self.protocol, after.clock_ms)
            return StoredChart(self.chart_id, after, watch, watched_until_ms(after, self.protocol))
        except Exception as error:  # noqa: BLE001  a count must not cost an alarm; whoever is not counted is not watched
            log.error("watch_not_told", error=type(error).__name__)  # noqa: TRY400  what failed has told its place already
            return StoredChart(self.chart_id, after)

    def episodes(self, after: Chart) -> list[Episode]:
        """The alarms that are not as they were before the transaction."""
        ward = None if after.admission is None else after.admission.ward
        changed = [
            (alarm, None)
            for rule_id, alarm in after.alarms.items()
            if self.before.alarms.get(rule_id) is not alarm
        ]
        return [
            Episode(
                alarm=alarm,
                mode=after.mode,
                updated_seq=after.chart_seq,
                chart_id=self.chart_id,
                ward=ward,
                ended_at=ended_at,
            )
            for alarm, ended_at in (*self.ended, *changed)
        ]


class Ledger:
    """Takes in one item after the other and gathers what follows from each."""

    def __init__(
        self,
        charts: Mapping[ChartKey, StoredChart],
        known: Known,
        protocol: Protocol,
        *,
        site: str,
        asks_all: bool = False,
    ) -> None:
        self.readings: list[ReadingRow] = []
        self.commands: list[CommandRow] = []
        self.ticks: list[TickRow] = []
        self.changed: list[StoredChart] = []
        self.episodes: list[Episode] = []
        self.ward_events: list[WardEvent] = []
        self.outgoing: dict[int, list[OutgoingRecord]] = {}
        self.refused: list[tuple[Record, Refusal]] = []
        self.counts = Counts()
        self._working = {key: _Working(stored, protocol) for key, stored in charts.items()}
        self._known = known
        self._indexed = 0  # how many of the readings gathered here are in what is known
        self._protocol = protocol
        self._site = site
        self._asks_all = asks_all

    @property
    def before_seq(self) -> dict[ChartKey, int]:
        """The number each chart had when it was locked."""
        return {key: working.before.chart_seq for key, working in self._working.items()}

    def close(self) -> None:
        """Nothing more comes: see which charts took something in, and which of their alarms are not as they were."""
        for working in self._working.values():
            if working.taken:
                chart = working.course.chart
                self.changed.append(working.stored(chart))
                if chart.alarms or working.ended:
                    self.episodes.extend(working.episodes(chart))

    def take(self, item: Item) -> None:
        """Take in *item*; one that our own code fails on becomes a dead letter, and the rest goes on."""
        working = self._working[item.chart_key]
        taken = len(working.taken)
        try:
            if isinstance(item.entry, ObservationSet):
                self._take_set(working, item.entry)
            else:
                self._take_command(working, item.entry)
        except Exception:  # a defect on one message must not cost the others
            record = item.record
            log.exception(
                "evaluation_failed", topic=record.topic, partition=record.partition, offset=record.offset
            )
            working.rewind(taken)
            device_id = item.entry.device_id if isinstance(item.entry, ObservationSet) else None
            refusal = Refusal(
                reason=RefusalReason.NOT_EVALUATED,
                correlation_id=correlation_of(record),
                device_id=device_id,
            )
            self.refused.append((record, refusal))
            self._tell_unevaluated(working, item.entry.received_at, device_id)

    def take_tick(self, key: ChartKey, at: datetime) -> bool:
        """Let time pass for a chart that is due at *at*; False if, under the lock, it is not (any more).

        One that our own code fails on stays due; the other charts' time goes on.
        """
        working = self._working[key]
        due_ms = working.course.due_ms
        if due_ms is None or due_ms > to_ms(at):
            return False
        try:
            self._enter(working, working.take(Tick(at=at)))
        except Exception:
            log.exception("tick_failed")
            working.rewind(0)
            self._tell_unevaluated(working, at, None)
            return False
        self.ticks.append(TickRow(working.chart_id, working.course.chart_seq, at))
        return True

    def _tell_unevaluated(self, working: _Working, at: datetime, device_id: str | None) -> None:
        """Let the chart say that it is not watched in this, unless it says so already; it is an input like others."""
        if rule_of(device_id) in working.course.alarms:
            return
        taken = len(working.taken)
        try:
            self._enter(working, working.take(Unevaluated(at=at, device_id=device_id)))
        except Exception:
            log.exception("not_evaluated_and_not_told")
            working.rewind(taken)
            return
        chart_seq = working.course.chart_seq
        self.ticks.append(TickRow(working.chart_id, chart_seq, at, "not_evaluated", device_id))

    def _take_set(self, working: _Working, observation: ObservationSet) -> None:
        new: ObservationSet | None = observation
        is_conflict = False
        if not self._is_certainly_new(working.course, observation):
            new, is_conflict = self._only_new(working.chart_id, observation)
        if new is None:
            return
        said = working.take(new, is_conflict=is_conflict)
        self._enter(working, said)
        self._enter_readings(working, new, said)
        self._count(new, said)

    def _is_certainly_new(self, chart: Course, observation: ObservationSet) -> bool:
        """Whether neither the database nor this batch has had any of the set, and none stands twice in it.

        The chart has taken in what came earlier in the batch, so it answers for that as well.
        """
        if self._asks_all or not is_certainly_new(chart, observation):
            return False
        readings = observation.readings
        return len(readings) == 1 or len({reading.reading_id for reading in readings}) == len(readings)

    def _only_new(self, chart_id: int, observation: ObservationSet) -> tuple[ObservationSet | None, bool]:
        """What of the set was never seen before, and whether it stands against something that was."""
        self._index_what_was_gathered()
        known = self._known.readings
        fresh = {
            reading.reading_id: reading
            for reading in observation.readings
            if (chart_id, reading.reading_id) not in known
        }
        self.counts.duplicates += len(observation.readings) - len(fresh)
        if not fresh:
            return None, False
        observed_at, device_id = observation.observed_at, observation.device_id
        slots: set[Slot] = {
            (chart_id, observed_at, device_id, reading.vital_sign, reading.site) for reading in fresh.values()
        }
        new = replace(observation, readings=tuple(fresh.values()))
        return new, not self._known.taken.isdisjoint(slots)

    def _index_what_was_gathered(self) -> None:
        """Add this batch's readings to what is known; only when somebody asks, which is seldom."""
        for row in self.readings[self._indexed :]:
            self._known.readings.add((row.chart_id, row.reading_id))
            self._known.taken.add((row.chart_id, row.observed_at, row.device_id, row.vital_sign, row.site))
        self._indexed = len(self.readings)

    def _enter_readings(self, working: _Working, observation: ObservationSet, said: Said) -> None:
        flags = list(said.flags) or None
        chart_id, chart_seq = working.chart_id, working.course.chart_seq
        observed_at, device_id = observation.observed_at, observation.device_id
        acquisition, message_id = observation.acquisition, observation.message_id
        received_at, correlation_id = observation.received_at, observation.correlation_id
        self.readings.extend(
            ReadingRow(
                chart_id,
                observed_at,
                reading.reading_id,
                reading.vital_sign,
                reading.value,
                reading.validity,
                reading.site,
                reading.device,
                device_id,
                acquisition,
                message_id,
                received_at,
                chart_seq,
                flags,
                correlation_id,
            )
            for reading in observation.readings
        )

    def _count(self, observation: ObservationSet, said: Said) -> None:
        counts, verdicts = self.counts, said.verdicts
        counts.sets += 1
        counts.verdicts.extend(verdicts)
        if said.flags:
            counts.flags.update(dict.fromkeys(said.flags, len(observation.readings)))
        if Verdict.TOO_OLD in verdicts:
            judged = zip(observation.readings, verdicts, strict=True)
            counts.late.update(
                reading.vital_sign for reading, verdict in judged if verdict is Verdict.TOO_OLD
            )

    def _take_command(self, working: _Working, command: Command) -> None:
        name = name_of(command)
        if command.command_id in self._known.commands:
            self.counts.commands[name, CommandOutcome.DUPLICATE] += 1
            return
        said = working.take(command)
        self._enter(working, said)
        self._known.commands.add(command.command_id)
        outcome = CommandOutcome.APPLIED if said.refusal is None else CommandOutcome.WITHOUT_EFFECT
        self.counts.commands[name, outcome] += 1
        self.commands.append(
            CommandRow(
                command.command_id,
                working.chart_id,
                working.course.chart_seq,
                name,
                command.issued_at,
                command.issued_by,
                command.received_at,
                command.correlation_id,
                orjson.dumps(command, default=text_of_id).decode(),
            )
        )

    def _enter(self, working: _Working, said: Said) -> None:
        """Take over what there is to say: all of it, or, if making a record of it fails, nothing."""
        if said.alerts:
            records = self._records(said.alerts)
            if working.course.is_replayed:  # in its own time: how long ago it was received says nothing of us
                records = [replace(record, observed_at=None, received_at=None) for record in records]
            self._queue(working.before.lane, records, said.alerts)
        if said.ended:
            ended_at = {
                alert.episode_id: alert.ended_at for alert in said.alerts if alert.ended_at is not None
            }
            working.ended.extend((alarm, ended_at[alarm.episode_id]) for alarm in said.ended)
        if said.ward_signals:
            self.ward_events.extend(said.ward_signals)

    def say(self, lane: int, alerts: Sequence[Alert]) -> None:
        """Queue *alerts* in *lane*."""
        self._queue(lane, self._records(alerts), alerts)

    def _queue(self, lane: int, records: Sequence[OutgoingRecord], alerts: Sequence[Alert]) -> None:
        if records:
            self.outgoing.setdefault(lane, []).extend(records)
            self.counts.alerts.extend(alerts)

    def _records(self, alerts: Sequence[Alert]) -> list[OutgoingRecord]:
        """Each alert, followed by the state that its alarm is in then."""
        records = []
        for alert in alerts:
            records.append(alert_record(alert, site=self._site))
            state = alarm_state_record(alert)
            if state is not None:
                records.append(state)
        return records
