"""One audit from beginning to end: how things stand, the input, the output, and a copy of the alerts if there is one."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from persistence.audit import TimeRange, audit_reads
from worker.audit.comparing import Comparing
from worker.audit.copies import written_at
from worker.audit.findings import Account, Advance, Finding, Subject, Trouble
from worker.audit.given_out import compare_copy, compare_given_out, find_output
from worker.audit.taken_in import compare_taken_in, find_stretch, judge_numbers
from worker.lane_repair import connected_client
from worker.lane_standing import Place, standing_of
from worker.log_reading import log_reader

_NOT_IN_THE_LOG = (
    "the log of the input no longer reaches back to the beginning of this time: what it does not hold was compared by "
    "the numbers of the charts alone"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What is to be audited."""

    place: Place
    lanes: int
    time_range: TimeRange
    copy: Path | None = None


async def run_audit(audit: Audit, expect: Callable[[int], Advance]) -> Account:
    """Compare everything; nothing is changed, and nobody waits for it. *expect* is told how many records there are.

    The cursors come first, then what the database holds, then what is out: so what has been published
    according to a cursor is stored and out, and whatever comes meanwhile is left out.
    """
    made_at = None if audit.copy is None else written_at(audit.copy)
    comparing = await _begin(audit)
    async with log_reader(audit.place.connection) as consumer:
        stretch = await find_stretch(consumer, comparing)
        output = await find_output(consumer, comparing)
        advance = expect(stretch.size + output.size)
        led = await compare_taken_in(consumer, comparing, stretch, advance)
        live = await compare_given_out(consumer, comparing, output, advance)
    if audit.copy is not None and made_at is not None:
        await compare_copy(audit.copy, made_at, comparing, live)
    account = comparing.account
    account.add(judge_numbers(comparing.opening, led if stretch.is_complete else None))
    account.not_taken_in = stretch.not_taken_in
    if not stretch.is_complete:
        account.remarks.append(_NOT_IN_THE_LOG)
    return account


async def _begin(audit: Audit) -> Comparing:
    """See how things stand; a lane that has stopped is wrong whatever else is."""
    async with connected_client(audit.place) as client:
        standings = [await standing_of(audit.place, client, lane) for lane in range(audit.lanes)]
    async with audit_reads(audit.place.engine) as reads:
        opening = await reads.opening(audit.time_range)
    published = {each.lane: each.cursor.seq if each.cursor else 0 for each in standings}
    comparing = Comparing(
        place=audit.place, time_range=audit.time_range, published=published, opening=opening
    )
    comparing.account.not_published = sum(
        max(0, opening.last_seq[lane] - seq) for lane, seq in published.items()
    )
    comparing.account.add(
        Finding(Trouble.STOPPED, Subject.LANES, f"lane {each.lane}")
        for each in standings
        if not each.is_sound
    )
    return comparing
