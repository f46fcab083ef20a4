"""The output side of an audit: what was recorded to be published, against the topics and an exported copy."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition

from persistence.audit import audit_reads
from worker.audit.comparing import Comparing
from worker.audit.copies import read_copy
from worker.audit.findings import Advance, Subject
from worker.audit.output_comparison import SUBJECTS, Content, LaneComparison, Said, said_of
from worker.cursors import OUTPUTS, end_offset
from worker.log_reading import offsets_at, read_stretch

_MARGIN = timedelta(minutes=10)  # clocks of database and broker may differ
_PAGE = 5_000
_WRITING = timedelta(seconds=2)  # what was published so shortly before a copy was made may be missing in it


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What of the output is compared."""

    roles: Mapping[TopicPartition, str]
    starts: Mapping[TopicPartition, int]
    ends: Mapping[TopicPartition, int]

    @property
    def size(self) -> int:
        """How many offsets there are to read."""
        return sum(max(0, self.ends[place] - start) for place, start in self.starts.items())


async def find_output(consumer: AIOKafkaConsumer, comparing: Comparing) -> Output:
    """What was published since a little before the range, up to now."""
    names = comparing.place.names
    roles = {TopicPartition(names.of(role), lane): role for role in OUTPUTS for lane in comparing.published}
    ends = {place: await end_offset(consumer._client, place) for place in roles}  # noqa: SLF001  to the very end
    starts = await offsets_at(consumer, list(roles), comparing.time_range.since - _MARGIN)
    firsts = {place: ends[place] if (first := starts[place]) is None else first for place in roles}
    return Output(roles=roles, starts=firsts, ends=ends)


async def compare_given_out(
    consumer: AIOKafkaConsumer, comparing: Comparing, output: Output, advance: Advance
) -> dict[int, LaneComparison]:
    """Compare what was recorded with what is out."""
    lanes = await _recorded(comparing, OUTPUTS)
    async for records in read_stretch(consumer, output.starts, output.ends):
        for each in records:
            role = output.roles[TopicPartition(each.topic, each.partition)]
            said = said_of(role, Content(each.key, each.value, each.headers), at_ms=each.timestamp)
            if (
                said.seq <= comparing.published[each.partition]
            ):  # what has been published since is another matter
                lanes[each.partition].publish(said)
        advance(len(records))
    for comparison in lanes.values():
        await _settle(comparing, comparison, with_states=comparing.time_range.is_open)
        comparing.account.compared.update(SUBJECTS[said.role] for said in comparison.recorded)
    return lanes


async def compare_copy(
    file: Path, made_at: datetime, comparing: Comparing, live: Mapping[int, LaneComparison]
) -> None:
    """Compare what was recorded as an alert with what an exported copy of the alerts topic holds."""
    lanes = await _recorded(comparing, ("alerts",), Subject.COPY)
    for lane, said in read_copy(file):
        if lane in lanes and said.seq <= comparing.published[lane]:
            lanes[lane].publish(said)
    until_ms = int((made_at - _WRITING).timestamp() * 1000) if comparing.time_range.is_open else None
    newer = 0
    for lane, comparison in lanes.items():
        comparing.account.compared[Subject.COPY] += len(comparison.out)
        newer += _leave_out_newer(comparison, live[lane], until_ms)
        await _settle(comparing, comparison, with_states=False)
    if newer:
        comparing.account.remarks.append(
            f"published after the copy was made, and not looked for in it: {newer:,} alerts"
        )


async def _recorded(
    comparing: Comparing, roles: Collection[str], subject: Subject | None = None
) -> dict[int, LaneComparison]:
    """What each lane has recorded in the range."""
    lanes = {}
    for lane, published in comparing.published.items():
        comparison = lanes[lane] = LaneComparison(lane, published, subject)
        async with audit_reads(comparing.place.engine) as reads:
            async for row in reads.queued(lane, comparing.opening.last_seq[lane], comparing.time_range):
                if row.topic in roles:
                    said = said_of(row.topic, Content(row.key, row.value, row.headers), seq=row.seq)
                    comparison.record(said, row.key, is_deletion=row.value is None)
    return lanes


def _leave_out_newer(copy: LaneComparison, live: LaneComparison, until_ms: int | None) -> int:
    """Ask nothing of *copy* that was published when it had been made; returns how much that is."""
    if until_ms is None:
        return 0
    newest = copy.newest()
    newer = [
        said
        for said in copy.wanted.values()
        if said.record_id not in copy.out and said.seq > newest and _published_ms(said, live) > until_ms
    ]
    for said in newer:
        del copy.wanted[said.record_id]
    return len(newer)


def _published_ms(said: Said, live: LaneComparison) -> int:
    out = live.out.get(said.record_id)
    return 0 if out is None else out.at_ms


async def _settle(comparing: Comparing, comparison: LaneComparison, *, with_states: bool) -> None:
    """Ask the database about what the range alone does not explain, and say what is wrong."""
    absent = comparison.absent(with_states=with_states)
    noted = await _noted(comparing, comparison.lane, absent)
    comparison.lose(said for said in absent if said.record_id not in noted)
    # What a restored history leads to again is the same alert, but a timer may have been evaluated at another moment.
    noted = await _noted(comparing, comparison.lane, comparison.different)
    comparison.alter(said for said in comparison.different if said.record_id not in noted)
    oldest = comparing.opening.oldest_seq.get(comparison.lane)
    unknown = [
        said for said in comparison.unknown if not said.seq or (oldest is not None and said.seq >= oldest)
    ]
    noted = await _noted(comparing, comparison.lane, unknown)
    recorded = await _under(comparing, comparison.lane, unknown)
    for said in unknown:
        comparison.judge_unknown(said, recorded.get(said.seq), is_noted=said.record_id in noted)
    comparing.account.add(comparison.findings())


async def _under(comparing: Comparing, lane: int, some: Sequence[Said]) -> dict[int, Said]:
    """What is recorded under the numbers of *some*."""
    recorded = {}
    for start in range(0, len(some), _PAGE):
        async with audit_reads(comparing.place.engine) as reads:
            rows = await reads.under(lane, [said.seq for said in some[start : start + _PAGE]])
        for row in rows:
            recorded[row.seq] = said_of(row.topic, Content(row.key, row.value, row.headers), seq=row.seq)
    return recorded


async def _noted(comparing: Comparing, lane: int, some: Sequence[Said]) -> set[UUID]:
    """The ids of those of *some* that a repair of the lane has found to be out."""
    if not some:
        return set()
    async with audit_reads(comparing.place.engine) as reads:
        return await reads.noted(lane, [said.record_id for said in some])
