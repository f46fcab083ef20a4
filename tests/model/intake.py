"""Intake: fetch, claim, chart, commit; and where to go on after an assignment or an error."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.model.broker import InputPartition, Log, Record, Steps
from tests.model.charting import Charting, Taken
from tests.model.clinic import Kind, dead_letter, evaluate
from tests.model.database import ConnectionLostError, Transaction
from tests.model.defects import Defect

if TYPE_CHECKING:
    from tests.model.workers import Worker

_MOST_RECORDS = 4


class LostClaimError(Exception):
    """Another worker has gone on with the partition."""


@dataclass(slots=True)
class Position:
    """How far a partition has been worked through, and where the consumer reads next."""

    stored: int | None
    expected: int
    reads: int
    suspect: int | None = None
    seen_until: int | None = None  # everything that came until then is handled


@dataclass(frozen=True, slots=True)
class Run:
    """Records of one partition in log order."""

    partition: InputPartition
    stored: int | None
    records: Sequence[Record]

    @property
    def following(self) -> int:
        """Where work goes on after these."""
        return self.records[-1].offset + 1


def keep_intake(worker: "Worker") -> Steps:
    """Go on for ever; after any error positions are forgotten and looked up again."""
    while True:
        yield
        try:
            if worker.must_recover:
                yield from _recover(worker)
            fetched = _fetch(worker)
            yield
            if not fetched:
                yield from _reconcile(worker)
                continue
            yield from worker.take_turn()
            try:
                runs = [
                    run for partition, records in fetched if (run := _fitting(worker, partition, records))
                ]
                if runs:
                    yield from _handle(worker, runs)
            finally:
                worker.has_turn = False
        except LostClaimError:
            worker.world.saw("claim lost")
            worker.start_over()
        except ConnectionLostError:
            worker.world.saw("connection lost in a batch")
            if worker.world.planted is not Defect.PROGRESS_NOT_READ_AGAIN:
                worker.start_over()
            else:
                _rewind(worker)


# ---- where to go on


def _recover(worker: "Worker") -> Steps:
    """Look up where to go on: where the database says, never where the group's offsets say."""
    yield from worker.take_turn()
    worker.must_recover = False
    partitions = sorted(worker.assignment)
    is_done = False
    try:
        with worker.world.database.begin(worker) as transaction:
            yield
            stored = {partition: transaction.get(("progress", *partition)) for partition in partitions}
        yield
        if not worker.must_recover:  # else assigned anew meanwhile
            worker.positions = {
                partition: _position(worker, partition, stored[partition]) for partition in partitions
            }
        is_done = True
    finally:
        worker.must_recover |= not is_done
        worker.has_turn = False


def _position(worker: "Worker", partition: InputPartition, stored: int | None) -> Position:
    beginning = worker.world.broker.inputs[partition].beginning
    expected = stored or 0
    if worker.world.planted is Defect.GROUP_OFFSETS:
        expected = worker.world.broker.group_offsets.get(partition, 0)
    if expected < beginning:
        worker.world.report_gap(partition, expected, beginning)
        expected = beginning
    return Position(stored, expected, reads=expected)


def _reconcile(worker: "Worker") -> Steps:
    """Nothing has come: see that the database still holds what we think it does."""
    if worker.world.rng.random() > 0.2 or worker.world.planted is Defect.PROGRESS_NOT_READ_AGAIN:
        return
    yield from worker.take_turn()
    try:
        known = {partition: position.stored for partition, position in worker.positions.items()}
        with worker.world.database.begin(worker) as transaction:
            yield
            if any(
                transaction.get(("progress", *partition)) != stored for partition, stored in known.items()
            ):
                worker.world.saw("progress differed")
                worker.start_over()
    finally:
        worker.has_turn = False


def _rewind(worker: "Worker") -> None:
    for position in worker.positions.values():
        position.reads = position.expected


# ---- what is fetched, and what of it fits


def _fetch(worker: "Worker") -> list[tuple[InputPartition, list[Record]]]:
    """Fetch from some partitions. What comes may begin elsewhere than asked for, though never twice in a row."""
    world, fetched = worker.world, []
    for partition, position in worker.positions.items():
        if world.rng.random() < 0.4:
            continue
        log = world.broker.inputs[partition]
        begin = max(position.reads, log.beginning)
        found = _read(worker, log, begin)
        if world.misfetches and position.suspect is None and world.rng.random() < 0.1:
            found = _read(worker, log, max(log.beginning, begin + world.rng.choice((-2, -1, 1, 2)))) or found
        if found:
            position.reads = found[-1].offset + 1
            fetched.append((partition, found))
        elif begin < len(log.records):
            position.reads = begin + 1  # a marker is passed over
        elif not any(log.records[max(position.expected, log.beginning) :]):
            position.seen_until = world.now
    return fetched


def _read(worker: "Worker", log: Log, begin: int) -> list[Record]:
    """Some records from *begin* on; markers are left out."""
    end = begin + 1 + int(worker.world.rng.random() * _MOST_RECORDS)
    return [record for record in log.records[begin:end] if record]


def _fitting(worker: "Worker", partition: InputPartition, records: Sequence[Record]) -> Run | None:
    """Those of *records* that come next; a gap is believed when a second fetch shows the same one."""
    position = worker.positions.get(partition)
    if position is None:
        return None
    records = [record for record in records if record.offset >= position.expected]
    if not records:
        return None
    first = records[0].offset
    if first != position.expected:
        if position.suspect != first and worker.world.planted is not Defect.GAP_BELIEVED_AT_ONCE:
            worker.world.saw("fetched once more")
            position.suspect, position.reads = first, position.expected
            return None
        worker.world.report_gap(partition, position.expected, first)
    return Run(partition, position.stored, records)


# ---- a batch


def _handle(worker: "Worker", runs: Sequence[Run]) -> Steps:
    world = worker.world
    with world.database.begin(worker) as transaction:
        yield from _claim(worker, transaction, sorted(runs, key=lambda run: run.partition))
        charts = Charting(transaction, world.database, world.lanes, world.planted)
        records = [(run.partition, record) for run in runs for record in run.records]
        usable = (record.entry for _, record in records if record.entry.kind is not Kind.UNUSABLE)
        yield from charts.lock({entry.patient for entry in usable})
        for partition, record in records:
            _take(transaction, charts, partition, record)
        yield from charts.save()
        yield from transaction.commit()
    worker.remember(charts.queued)
    for run in runs:
        position = worker.positions.get(run.partition)
        if position is not None:
            position.stored = position.expected = run.following
            position.seen_until = max(position.seen_until or 0, run.records[-1].received)
            position.suspect = None


def _claim(worker: "Worker", transaction: Transaction, runs: Sequence[Run]) -> Steps:
    """Compare and set `progress`, once its rows are locked."""
    yield from transaction.lock([("progress", *run.partition) for run in runs])
    for run in runs:
        key = ("progress", *run.partition)
        is_compared = worker.world.planted is not Defect.CLAIM_NOT_COMPARED
        if is_compared and transaction.get(key) != run.stored:
            raise LostClaimError
        transaction.put(key, run.following)
    yield


def _take(transaction: Transaction, charts: Charting, partition: InputPartition, record: Record) -> None:
    """Take a record in, unless what it says was taken in before."""
    entry = record.entry
    if entry.kind is Kind.UNUSABLE:
        place = partition[1], dead_letter(partition, record.offset)
        charts.alerts.append(place)
        transaction.put(("dead letter", *partition, record.offset), record)
        return
    if transaction.get(("known", entry.entry_id)) is not None:
        return  # redelivered, or sent twice
    transaction.put(("known", entry.entry_id), entry.patient)
    outcome = evaluate(charts[entry.patient], entry, record.received)
    charts.enter(entry.patient, outcome, Taken(record.received, entry, partition, record.offset))
