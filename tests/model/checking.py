"""What must hold when all is quiet, judged from the logs and the tables alone."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.model.broker import Record
from tests.model.charting import Taken
from tests.model.clinic import Alert, Chart, Kind, dead_letter, evaluate, tick

if TYPE_CHECKING:
    from tests.model.world import World


def violations(world: "World") -> list[str]:
    """Everything that is not as it must be."""
    return [*_of_intake(world), *_of_charts(world), *_of_publishing(world)]


# ---- intake: everything stored once, or dead-lettered once, or gone from the log and reported


def _of_intake(world: "World") -> Iterator[str]:
    stored = Counter(
        row.entry.entry_id for key, row in world.database.rows.items() if key[0] == "history" and row.entry
    )
    yield from (f"entry {entry_id} is stored {n} times" for entry_id, n in stored.items() if n > 1)
    copies: dict[int, list[tuple[tuple[str, int], Record]]] = {}
    for partition, log in world.broker.inputs.items():
        for record in filter(None, log.records):
            if record.entry.kind is Kind.UNUSABLE:
                is_kept = ("dead letter", *partition, record.offset) in world.database.rows
                if not is_kept and not _is_gone(world, partition, record.offset):
                    yield f"{partition}@{record.offset} is not dead-lettered"
            else:
                copies.setdefault(record.entry.entry_id, []).append((partition, record))
    for entry_id, places in copies.items():
        if not stored[entry_id] and not all(
            _is_gone(world, where, record.offset) for where, record in places
        ):
            yield f"entry {entry_id} is lost"


def _is_gone(world: "World", partition: tuple[str, int], offset: int) -> bool:
    """Whether nobody can read it any more, and it was reported, or will be with the next record."""
    is_reported = any(where == partition and begin <= offset < end for where, begin, end in world.gaps)
    is_ahead = offset >= (world.database.rows.get(("progress", *partition)) or 0)
    return (is_reported or is_ahead) and offset < world.broker.inputs[partition].beginning


# ---- charts: numbered without a gap, each tick due and none missing


def _of_charts(world: "World") -> Iterator[str]:
    for patient in range(world.patients):
        head = world.database.rows.get(("chart", patient))
        numbers = sorted(key[2] for key in world.database.rows if key[:2] == ("history", patient))
        if numbers != list(range(1, (head[0] if head else 0) + 1)):
            yield f"patient {patient}: chart_seq {numbers}, chart at {head}"
            continue
        chart = Chart()
        for taken in _history(world, patient):
            if taken.entry is None and (chart.due is None or chart.due > taken.at):
                yield f"patient {patient}: tick at {taken.at}, due {chart.due}"
            chart, _ = _judge(chart, patient, taken)
        if head is not None and (head[1] != chart.due or chart.due is not None):
            yield f"patient {patient}: due {head[1]} stored, {chart.due} follows"
        if not world.is_mended:
            yield from _of_patience(world, patient)


def _of_patience(world: "World", patient: int) -> Iterator[str]:
    """No tick was said of a silence that was ours: what had come by then, on the lane's own partitions, was known.

    What was gone from the log by then, and handled all the same by a worker that had it in hand, is excepted.
    """
    latest = -1
    for taken in _history(world, patient):
        if taken.entry is None:
            latest = max(latest, taken.at)
            continue
        partition = taken.partition or ("", -1)
        is_known = taken.at <= latest and partition[1] == patient % world.lanes
        if is_known and not _is_gone(world, partition, taken.offset):
            yield f"patient {patient}: a tick at {latest} came before what was received at {taken.at}"


def _history(world: "World", patient: int) -> Iterator[Taken]:
    seq = 1
    while (taken := world.database.rows.get(("history", patient, seq))) is not None:
        yield taken
        seq += 1


def _judge(chart: Chart, patient: int, taken: Taken) -> tuple[Chart, list[Alert]]:
    return tick(chart, patient, taken.at) if taken.entry is None else evaluate(chart, taken.entry, taken.at)


# ---- publishing: the fold of what is stored, each once, in order; numbers that go on


def _of_publishing(world: "World") -> Iterator[str]:
    for lane in range(world.lanes):
        published = world.broker.read_committed(lane)
        numbers = [each.seq for each in published]
        alerts = [each.alert for each in published]
        if numbers != (sorted(set(numbers)) if world.is_mended else list(range(1, len(numbers) + 1))):
            yield f"lane {lane}: numbers {numbers}"
        doubled = [alert for alert, count in Counter(alerts).items() if count > 1]
        if doubled:
            yield f"lane {lane}: doubled {doubled}"
        noted = world.database.rows.get(("noted", lane)) or frozenset()
        if not noted <= set(alerts):
            yield f"lane {lane}: noted as out, but not out: {noted - set(alerts)}"
        yield from _of_dead_letters(world, lane, {alert for alert in alerts if alert.patient < 0}, noted)
        for patient in range(lane, world.patients, world.lanes):
            yield from _of_patient(
                world, patient, [alert for alert in alerts if alert.patient == patient], noted
            )


def _of_dead_letters(
    world: "World", lane: int, published: set[Alert], noted: frozenset[Alert]
) -> Iterator[str]:
    kept = {
        dead_letter((key[1], key[2]), key[3])
        for key in world.database.rows
        if key[0] == "dead letter" and key[2] == lane
    }
    if published - noted != kept - noted:
        yield f"lane {lane}: dead letters {published} out, {kept} kept"


def _of_patient(
    world: "World", patient: int, published: list[Alert], noted: frozenset[Alert]
) -> Iterator[str]:
    """What is noted as out from before a restore may be no part of the history; all else is, in its order."""
    chart, fold = Chart(), []
    for taken in _history(world, patient):
        chart, alerts = _judge(chart, patient, taken)
        fold += alerts
    missing = set(fold) - set(published)
    if missing:
        yield f"patient {patient}: not out: {missing}"
    if [alert for alert in published if alert not in noted] != [
        alert for alert in fold if alert not in noted
    ]:
        yield f"patient {patient}: {published} out, {fold} follow"
