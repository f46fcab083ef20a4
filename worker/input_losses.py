"""Input that was deleted before it was read: told to the wards it came from, and passed over, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndTimestamp

from domain.observations import Mode
from domain.times import from_ms, to_ms
from domain.wards import InputLoss
from persistence.progress import Claim
from persistence.unit_of_work import UnitOfWork
from worker.positions import Recovery


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Offsets *stored* to *beginning* of a partition are gone; *until* is when the oldest record that is left came."""

    topic: str
    partition: int
    stored: int
    beginning: int
    until: datetime
    found_at: datetime

    @property
    def offsets(self) -> int:
        """How many are gone."""
        return self.beginning - self.stored


def losses_of(
    found: Mapping[TopicPartition, Recovery],
    firsts: Mapping[TopicPartition, OffsetAndTimestamp | None],
    found_at: datetime,
) -> list[Loss]:
    """What is gone of each partition *found* with a gap; *firsts* are the oldest records that are left."""
    return [
        Loss(
            topic=partition.topic,
            partition=partition.partition,
            stored=recovery.position.expected - recovery.gap,
            beginning=recovery.position.expected,
            until=until_of(None if first is None else first.timestamp, found_at),
            found_at=found_at,
        )
        for partition, recovery in found.items()
        for first in [firsts.get(partition)]
    ]


def until_of(first_record_ms: int | None, found_at: datetime) -> datetime:
    """Until when what came was lost: until the oldest record that is left, or, where none is left, until now."""
    if first_record_ms is None or first_record_ms < 0:
        return found_at
    return min(from_ms(first_record_ms), found_at)


async def pass_over(work: UnitOfWork, losses: Sequence[Loss], lanes: int) -> list[InputLoss]:
    """Move on beyond *losses*, and return what each ward must be told. Raises LostClaimError.

    Of a partition beyond the *lanes* those wards are told whose patients it has taken over.
    """
    seen = await work.progress.last_seen([(loss.topic, loss.partition) for loss in losses])
    await work.progress.claim(
        [Claim(loss.topic, loss.partition, loss.stored, loss.beginning) for loss in losses]
    )
    lane_of = {loss.partition: loss.partition % lanes for loss in losses}
    wards = await work.wards.on_lanes(set(lane_of.values()))
    return _told(losses, seen, {partition: wards[lane] for partition, lane in lane_of.items()})


def _told(
    losses: Sequence[Loss], seen: Mapping[tuple[str, int], datetime], wards: Mapping[int, set[str]]
) -> list[InputLoss]:
    return [
        InputLoss(
            ward=ward,
            mode=Mode.REAL,
            subject=f"{loss.topic}/{loss.partition}",
            from_ms=to_ms(min(seen[loss.topic, loss.partition], loss.until)),
            until_ms=to_ms(loss.until),
            at_ms=to_ms(loss.found_at),
        )
        for loss in losses
        for ward in sorted(wards[loss.partition])
    ]
