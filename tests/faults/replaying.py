"""What had to be said: every chart's input, in the order in which it was taken in, through the domain alone.

Of Vigil's own code this uses what is pure: the decoders, the domain, and the words of an alert.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from domain.chart import Chart
from domain.chart_form import chart_to_form
from domain.commands import Command
from domain.evaluation import Evaluation, evaluate
from domain.observations import Mode, ObservationSet, Tick
from domain.protocol import Protocol
from domain.times import from_ms, to_ms
from tests.faults.evidence import Evidence, Record, StoredReading
from worker.messages import alarm_state_record, alert_record, decode_command_record, decode_reading_record

_SITE = "vigil"
_TICK_LATENESS = timedelta(seconds=30)  # for half of that nothing is ticked once the broker has been away


@dataclass(frozen=True, slots=True)
class Said:
    """One record that must be in the topics: what it is told by, and what it holds."""

    name: tuple[str, str]  # its role, and the alert's id
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    received_at: datetime


@dataclass(slots=True)
class Replayed:
    """What each patient's sequence led to, and what of the sequence itself cannot be."""

    said: dict[tuple[str, str], list[Said]] = field(default_factory=dict)  # by (patient, mode), in order
    lanes: dict[tuple[str, str], int] = field(default_factory=dict)
    phases: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    ticks: int = 0
    wrong: list[str] = field(default_factory=list)
    out_of_order: int = 0


@dataclass(frozen=True, slots=True)
class _Step:
    item: ObservationSet | Command | Tick
    record: Record | None = None
    is_conflict: bool = False


def replay(evidence: Evidence, protocol: Protocol) -> Replayed:
    """Evaluate every chart anew from what is stored of its sequence."""
    replayed = Replayed()
    observations, commands = _decoded(evidence)
    steps: dict[int, dict[int, _Step]] = defaultdict(dict)
    for chart_id, seq, step in (
        *_sets(evidence, observations, replayed),
        *_commands(evidence, commands, replayed),
        *((row.chart_id, row.chart_seq, _Step(Tick(at=row.at))) for row in evidence.ticks),
    ):
        if seq in steps[chart_id]:
            replayed.wrong.append("two inputs of a chart bear the same number")
        steps[chart_id][seq] = step
    replayed.ticks = len(evidence.ticks)
    for row in evidence.charts:
        _replay_chart(row, steps[row.chart_id], protocol, replayed, evidence.read_at)
    return replayed


def _decoded(
    evidence: Evidence,
) -> tuple[dict[UUID, tuple[Record, ObservationSet]], dict[UUID, tuple[Record, Command]]]:
    """What the records said, by correlation id: the load sets none, so that each record has its own."""
    observations, commands = {}, {}
    for record in evidence.readings_in:
        observation = decode_reading_record(record).observation
        if observation is not None:
            observations[observation.correlation_id] = (record, observation)
    for record in evidence.commands_in:
        command = decode_command_record(record)
        if isinstance(command, Command):
            commands[command.correlation_id] = (record, command)
    return observations, commands


def _sets(
    evidence: Evidence, observations: dict[UUID, tuple[Record, ObservationSet]], replayed: Replayed
) -> Iterator[tuple[int, int, _Step]]:
    """The sets as they were taken in: only the readings that were new then."""
    rows: dict[tuple[int, int], list[StoredReading]] = defaultdict(list)
    for row in evidence.readings:
        rows[row.chart_id, row.chart_seq].append(row)
    taken: set[tuple[Any, ...]] = set()
    for (chart_id, seq), group in sorted(rows.items()):
        ids = {row.correlation_id for row in group}
        if len(ids) != 1 or not ids <= observations.keys():
            replayed.wrong.append("stored readings of one number do not come from one record")
            continue
        record, observation = observations[ids.pop()]
        slots = {(chart_id, row.observed_at, row.device_id, row.vital_sign, row.site) for row in group}
        fresh = {row.reading_id for row in group}
        kept = {
            reading.reading_id: reading for reading in observation.readings if reading.reading_id in fresh
        }
        item = replace(observation, readings=tuple(kept.values()))
        yield chart_id, seq, _Step(item, record, is_conflict=not taken.isdisjoint(slots))
        taken |= slots


def _commands(
    evidence: Evidence, commands: dict[UUID, tuple[Record, Command]], replayed: Replayed
) -> Iterator[tuple[int, int, _Step]]:
    for row in evidence.commands:
        record, command = commands.get(row.correlation_id, (None, None))
        if command is None or command.command_id != row.command_id:
            replayed.wrong.append("a stored command comes from no record")
        else:
            yield row.chart_id, row.chart_seq, _Step(command, record)


def _replay_chart(
    row: Any, steps: dict[int, _Step], protocol: Protocol, replayed: Replayed, until: datetime
) -> None:
    """Evaluate one chart from nothing; its number, its due time and its form must come out as stored."""
    if sorted(steps) != list(range(1, row.chart_seq + 1)):
        replayed.wrong.append(f"a chart's inputs are not numbered 1 to {row.chart_seq}")
        return
    chart = Chart(patient_id=row.patient_id, mode=Mode(row.mode), lane=row.lane)
    said = replayed.said.setdefault((row.patient_id, row.mode), [])
    replayed.lanes[row.patient_id, row.mode] = row.lane
    reached: dict[tuple[str, int], int] = {}
    for _, step in sorted(steps.items()):
        _check_turn(chart, step, reached, replayed)
        evaluation = evaluate(chart, step.item, protocol, is_conflict=step.is_conflict)
        said.extend(_said(evaluation, replayed))
        chart = evaluation.chart
    _check_end(row, chart, replayed, until)


def _check_turn(chart: Chart, step: _Step, reached: dict[tuple[str, int], int], replayed: Replayed) -> None:
    """A tick must have been due, and the records of a partition must come in the order of their log."""
    if isinstance(step.item, Tick):
        if chart.due_ms is None or to_ms(step.item.at) < chart.due_ms:
            replayed.wrong.append("a chart was ticked before it was due")
    elif step.record is not None:
        partition = step.record.topic, step.record.partition
        if step.record.offset <= reached.get(partition, -1):
            replayed.out_of_order += 1
        reached[partition] = step.record.offset


def _check_end(row: Any, chart: Chart, replayed: Replayed, until: datetime) -> None:
    due_at = None if chart.due_ms is None else from_ms(chart.due_ms)
    if due_at != row.due_at:
        replayed.wrong.append("a chart is due at another time than stored")
    if due_at is not None and due_at < until - _TICK_LATENESS:
        replayed.wrong.append("a tick is missing: a chart has been due for long")
    if row.form is not None and _plain(chart_to_form(chart)) != row.form:
        replayed.wrong.append("a chart is not as stored")


def _plain(form: Any) -> Any:
    """A form as JSON gives it back."""
    return orjson.loads(orjson.dumps(form, option=orjson.OPT_NON_STR_KEYS))


def _said(evaluation: Evaluation, replayed: Replayed) -> Iterator[Said]:
    for alert in evaluation.alerts:
        replayed.phases[str(alert.phase)] += 1
        for record in (alert_record(alert, site=_SITE), alarm_state_record(alert)):
            if record is not None:
                name = (record.topic, str(alert.alert_id))
                received_at = alert.received_at.astimezone(UTC)
                yield Said(name, record.key, record.value, tuple(record.headers), received_at)
