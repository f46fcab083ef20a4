"""The input side of an audit: the log of the range is read and compared with what is stored."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

from persistence.audit import AuditRepository, Opening, audit_reads
from worker.audit.comparing import Comparing
from worker.audit.findings import Advance, Finding, Subject, Trouble
from worker.audit.input_comparison import Expected, Stored, compare_input, count_led, expected_of
from worker.log_reading import offsets_at, read_stretch


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What of the input is compared: from where to where in each partition, and whether that is all of the range."""

    starts: Mapping[TopicPartition, int]
    ends: Mapping[TopicPartition, int]
    not_taken_in: int
    is_complete: bool  # False: the log no longer holds the beginning of the range

    @property
    def size(self) -> int:
        """How many offsets there are to read."""
        return sum(max(0, self.ends[place] - start) for place, start in self.starts.items())


async def find_stretch(consumer: AIOKafkaConsumer, comparing: Comparing) -> Stretch:
    """What the log holds of the range and has been taken in; the rest of it is under way."""
    time_range, progress = comparing.time_range, comparing.opening.progress
    inputs = comparing.place.names.inputs
    places = [TopicPartition(topic, lane) for topic in inputs for lane in range(comparing.lanes)]
    beginnings, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
    since = await offsets_at(consumer, places, time_range.since)
    until = {} if time_range.is_open else await offsets_at(consumer, places, time_range.until)
    reached = {place: progress.get((place.topic, place.partition), beginnings[place]) for place in places}
    firsts = {place: ends[place] if (first := since[place]) is None else first for place in places}
    lasts = {place: ends[place] if (last := until.get(place)) is None else last for place in places}
    return Stretch(
        starts=firsts,
        ends={place: min(lasts[place], reached[place]) for place in places},
        not_taken_in=sum(max(0, ends[place] - reached[place]) for place in places),
        is_complete=all(beginnings[place] == 0 or firsts[place] > beginnings[place] for place in places),
    )


async def compare_taken_in(
    consumer: AIOKafkaConsumer, comparing: Comparing, stretch: Stretch, advance: Advance
) -> int:
    """Compare what the log holds with what is stored; returns how many real readings these very records led to."""
    led, commands = 0, comparing.place.names.commands
    async for records in read_stretch(consumer, stretch.starts, stretch.ends):
        expected = [expected_of(record, is_command=record.topic == commands) for record in records]
        async with audit_reads(comparing.place.engine) as reads:
            stored = await _stored(reads, expected)
        comparing.account.add(compare_input(expected, stored))
        led += count_led(expected, stored, comparing.time_range.observed)
        _count(comparing.account.compared, expected)
        advance(len(records))
    return led


def _count(compared: Counter[Subject], expected: Sequence[Expected]) -> None:
    compared[Subject.READINGS] += sum(len(each.readings) for each in expected)
    compared[Subject.COMMANDS] += sum(each.command_id is not None for each in expected)
    compared[Subject.DEAD_LETTERS] += sum(len(each.refusals) for each in expected)


def judge_numbers(opening: Opening, led: int | None) -> list[Finding]:
    """What is wrong with the charts' numbers, and whether there are readings that no record led to (*led*: how many did)."""
    lost = [
        Finding(Trouble.LOST, Subject.CHARTS, f"chart {chart}, number {number}")
        for chart, number in sorted(opening.missing)
    ]
    doubled = [
        Finding(Trouble.DOUBLED, Subject.CHARTS, f"chart {chart}, number {number}")
        for chart, number in sorted(opening.doubled)
    ]
    too_many = 0 if led is None else opening.readings - led
    strange = [Finding(Trouble.UNEXPLAINED, Subject.READINGS, "received in this time")] * max(0, too_many)
    return lost + doubled + strange


async def _stored(reads: AuditRepository, expected: Sequence[Expected]) -> Stored:
    commands = [each.command_id for each in expected if each.command_id is not None]
    return Stored(
        readings=await reads.stored([wanted for each in expected for wanted in each.wanted]),
        commands=await reads.commands(commands),
        letters=await reads.dead_letters([each.place for each in expected]),
    )
