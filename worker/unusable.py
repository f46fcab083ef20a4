"""When a stream is wholly bad, and when it is good again: decided from what could be used of it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TypeAlias

from worker.batches import Batch, Run
from worker.dead_letters.rounds import round_of
from worker.messages import Record, Refusal, decode_command_record, decode_reading_record

Place: TypeAlias = tuple[str, int]
"""Topic and partition."""

LONGEST_PAUSE = timedelta(seconds=30)
"""Between two looks: patients are watched again within so long of the moment at which their data is good again."""

_DOUBLINGS = 16


def unusable_in_a_row(batch: Batch, before: Mapping[Place, int]) -> dict[Place, int]:
    """How many records up to the end of *batch* could not be used, without one between that could, by partition.

    Partitions of which all could be used are left out. What was decoded counts as usable: what our own code or
    the database makes of it is no fault of the stream.
    """
    asked = {(record.topic, record.partition) for record, _ in batch.refused} | before.keys()
    usable = _last_usable(batch, asked) if asked else {}
    found = {}
    for run in batch.runs:
        place = (run.topic, run.partition)
        if place in asked:
            last = usable.get(place)
            behind = -1 if last is None else last
            found[place] = (before.get(place, 0) if last is None else 0) + _behind(run, behind)
    return {place: count for place, count in {**before, **found}.items() if count}


def _last_usable(batch: Batch, asked: set[Place]) -> dict[Place, int]:
    """The offset of the last record of each partition that something was decoded from."""
    found: dict[Place, int] = {}
    for item in reversed(batch.items):
        place = (item.record.topic, item.record.partition)
        if place in asked and place not in found:
            found[place] = item.record.offset
            if len(found) == len(asked):
                break
    return found


def _behind(run: Run, offset: int) -> int:
    """How many records come after *offset*; what an operator's replay brought says nothing of the stream."""
    return sum(record.offset > offset and not round_of(tuple(record.headers)) for record in run.records)


def first_usable(records: Sequence[Record], commands_topic: str) -> int | None:
    """The offset of the first of *records* of which something can be used; nothing is done with it."""
    return next((record.offset for record in records if _is_usable(record, commands_topic)), None)


def _is_usable(record: Record, commands_topic: str) -> bool:
    if record.topic == commands_topic:
        return not isinstance(decode_command_record(record), Refusal)
    return decode_reading_record(record).observation is not None


def pause_before(tries: int, first: timedelta) -> timedelta:
    """How long to wait before a partition that was looked at *tries* times in vain is looked at again."""
    doubled: timedelta = first * 2 ** min(tries, _DOUBLINGS)
    return min(LONGEST_PAUSE, doubled)
