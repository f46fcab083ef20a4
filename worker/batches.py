"""A batch: the records of one transaction, decoded, in log order."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from domain.commands import Command
from domain.observations import ObservationSet
from persistence.chart_cache import ChartKey
from persistence.progress import Claim
from worker.messages import Record, Refusal, decode_command_record, decode_reading_record
from worker.messages.records import time_in_log

SLICE = 500
"""Records handled between two looks at the event loop; heartbeats and publishers share it."""

Entry: TypeAlias = ObservationSet | Command


@dataclass(frozen=True, slots=True)
class Run:
    """Records of one partition in log order, and what the database must hold for them to be claimed."""

    topic: str
    partition: int
    stored: int | None
    records: Sequence[Record]

    @property
    def claim(self) -> Claim:
        """The claim that fences these records."""
        last = self.records[-1]
        return Claim(self.topic, self.partition, self.stored, last.offset + 1, time_in_log(last))


class Item(NamedTuple):
    """What a record said and whose chart it is about, with the record, should it become a dead letter after all."""

    entry: Entry
    chart_key: ChartKey
    record: Record


@dataclass(slots=True)
class Batch:
    """Everything that one transaction takes in."""

    runs: Sequence[Run]
    commands_topic: str = ""
    items: list[Item] = field(default_factory=list)
    refused: list[tuple[Record, Refusal]] = field(default_factory=list)

    @property
    def claims(self) -> list[Claim]:
        """One claim per partition."""
        return [run.claim for run in self.runs]

    @property
    def size(self) -> int:
        """How many records it holds."""
        return size_of(self.runs)


async def read_batch(runs: Sequence[Run], commands_topic: str) -> Batch:
    """Decode *runs*; nothing a producer sends can raise here."""
    batch = Batch(runs, commands_topic)
    for run in runs:
        read = _read_command if run.topic == commands_topic else _read_readings
        for start in range(0, len(run.records), SLICE):
            for record in run.records[start : start + SLICE]:
                read(batch, record)
            await asyncio.sleep(0)
    return batch


def _read_readings(batch: Batch, record: Record) -> None:
    decoded = decode_reading_record(record)
    if decoded.observation is not None:
        observation = decoded.observation
        batch.items.append(Item(observation, ChartKey(observation.patient_id, observation.mode), record))
    batch.refused.extend((record, refusal) for refusal in decoded.refusals)


def _read_command(batch: Batch, record: Record) -> None:
    decoded = decode_command_record(record)
    if isinstance(decoded, Refusal):
        batch.refused.append((record, decoded))
    else:
        batch.items.append(Item(decoded, ChartKey(decoded.patient_id, decoded.mode), record))


def halves(runs: Sequence[Run]) -> tuple[list[Run], list[Run]]:
    """*runs* as two lists of about equal size, the second to be handled after the first.

    The claims of the second begin where those of the first end.
    """
    remaining = size_of(runs) // 2
    first: list[Run] = []
    second: list[Run] = []
    for run in runs:
        head, tail = run.records[:remaining], run.records[remaining:]
        remaining -= len(head)
        if head:
            first.append(Run(run.topic, run.partition, run.stored, head))
        if tail:
            stored = first[-1].claim.following if head else run.stored
            second.append(Run(run.topic, run.partition, stored, tail))
    return first, second


def parts(runs: Sequence[Run], most: Callable[[], int]) -> Iterator[Sequence[Run]]:
    """*runs* as lists to be handled one after the other, each of at most as many records as *most* allows by then."""
    if size_of(runs) <= most():
        yield runs
    else:
        for half in halves(runs):
            yield from parts(half, most)


def size_of(runs: Iterable[Run]) -> int:
    """How many records *runs* hold."""
    return sum(len(run.records) for run in runs)
