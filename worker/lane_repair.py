"""The repair of a lane whose database was restored or whose cursor was reset: nothing out goes out again, nothing is lost."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import ProducerFenced

from persistence.connection import Timeouts
from persistence.errors import RepairedElsewhereError
from persistence.repairs import NotedRecord, QueuedRecord
from persistence.unit_of_work import UnitOfWork, unit_of_work
from worker.cursors import Cursor, cursor_group, read_cursor
from worker.errors import OperatorError
from worker.internals import discard
from worker.lane_standing import LaneStanding, Place, standing_of
from worker.output_scan import scan, with_states
from worker.record_ids import record_id_of

_ATTEMPTS = (
    3  # a worker that was given the lane meanwhile fences us once, finds it stopped, and leaves it alone
)
_TRANSACTION_SECONDS = 30.0
# The lane's row is locked while its outbox is read; intake waits and tries again by itself.
_TIMEOUTS = Timeouts(lock_ms=20_000, statement_ms=300_000, idle_in_transaction_ms=60_000)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done about a lane: *waiting* are the numbers of the rows that go behind *marker*."""

    marker: int
    waiting: tuple[int, ...]
    unexplained: tuple[NotedRecord, ...]  # out, and not in the stored history
    too_old: int = 0  # rows from before the scan began, of which nobody can say whether they are out


def plan_repair(
    queued: Sequence[tuple[int, UUID, datetime]],
    out: Sequence[NotedRecord],
    noted: set[UUID],
    *,
    numbers: Sequence[int],
    since: datetime | None,
) -> Plan:
    """Decide about the rows *queued* (number, id, when recorded), knowing what is *out* and was *noted* as out.

    The marker lies beyond every number given or out. One number before it stays free for ever: a publisher
    that took the lane meanwhile, and published what was not out yet, finds it missing and stops, whatever
    its cursor. An alarm's state is not told about: it follows its alert.
    """
    out_ids = {each.record_id for each in out}
    waiting = [row for row in queued if row[1] not in out_ids and row[1] not in noted]
    stored = {record_id for _, record_id, _ in queued}
    oldest = min((seq for seq, _, _ in queued), default=min(numbers) + 1)
    unexplained = [
        each
        for each in out
        if each.seq >= oldest and each.topic != "alarm_state" and each.record_id not in stored
    ]
    return Plan(
        marker=max(*numbers, *(each.seq for each in out)) + 2 if out else max(numbers) + 2,
        waiting=tuple(seq for seq, _, _ in waiting),
        unexplained=tuple(unexplained),
        too_old=sum(since is not None and at < since for _, _, at in waiting),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """What a repair found and did."""

    before: LaneStanding
    out: int
    plan: Plan


class LaneRepair:
    """One attempt at repairing one lane, step by step; after an error, or a kill, a new one is made."""

    def __init__(self, place: Place, lane: int, since: datetime | None = None) -> None:
        self._place = place
        self._lane = lane
        self._since = since
        self._producer = AIOKafkaProducer(
            **place.connection,
            transactional_id=f"{place.group}.{lane}",  # the lane's own: it fences its publisher
            enable_idempotence=True,
            acks="all",
            transaction_timeout_ms=10_000,
        )
        self._epoch = 0
        self._out: list[NotedRecord] = []

    async def fence(self) -> None:
        """Let nobody publish the lane any more; what was under way is settled. Comes before anything is read."""
        async with unit_of_work(self._place.engine) as work:
            self._epoch = await work.repairs.begin(self._lane)
        async with asyncio.timeout(_TRANSACTION_SECONDS):
            await self._producer.start()

    async def look(self) -> int:
        """See what is out; returns how many records."""
        seen = await scan(self._place.connection, self._place.names, self._lane, self._since)
        self._out = with_states(seen)
        return len(seen)

    async def renumber(self) -> tuple[Plan, Cursor]:
        """Note what is out and number what is not behind a marker; returns where the cursor must be set."""
        published = await self._cursor_seq()
        async with unit_of_work(self._place.engine, timeouts=_TIMEOUTS) as work:
            last_seq = await work.repairs.lock(self._lane, self._epoch)
            plan = await self._plan(work, (last_seq, published))
            await work.repairs.note(self._lane, self._out)
            nonce = await work.repairs.renumber(self._lane, plan.marker, plan.waiting)
        return plan, Cursor(plan.marker, nonce)

    async def set_cursor(self, cursor: Cursor) -> None:
        """Put the lane's cursor on the marker. Raises ProducerFenced if a publisher has taken the lane meanwhile."""
        partition = TopicPartition(self._place.names.alerts, self._lane)
        async with asyncio.timeout(_TRANSACTION_SECONDS):
            await self._producer.begin_transaction()
            await self._producer.send_offsets_to_transaction(
                {partition: cursor.as_offset()}, cursor_group(self._place.group)
            )
            await self._producer.commit_transaction()

    async def discard(self) -> None:
        """Leave off at once, wherever it is."""
        await discard(self._producer)

    async def preview(self, published: int) -> Plan:
        """What `renumber` would do now, from a cursor at *published*, without doing it."""
        async with unit_of_work(self._place.engine, timeouts=_TIMEOUTS) as work:
            standing = await work.lanes.standing(self._lane, 0)
            return await self._plan(work, (standing.last_seq, published))

    async def _plan(self, work: UnitOfWork, numbers: tuple[int, int]) -> Plan:
        queued = [
            (each.seq, _id_of(each), each.recorded_at) async for each in work.repairs.queued(self._lane)
        ]
        noted = await work.repairs.noted(self._lane)
        plan = plan_repair(queued, self._out, noted, numbers=numbers, since=self._since)
        if plan.too_old:
            raise OperatorError(
                f"lane {self._lane}: {plan.too_old} records in the outbox are older than --since and were not seen "
                f"going out; nobody can say whether they did: look further back, or leave --since out"
            )
        return plan

    async def _cursor_seq(self) -> int:
        partition = TopicPartition(self._place.names.alerts, self._lane)
        async with asyncio.timeout(_TRANSACTION_SECONDS):
            cursor = await read_cursor(self._producer.client, self._place.group, partition)
        return 0 if cursor is None else cursor.seq


async def repair_lane(
    place: Place, lane: int, *, since: datetime | None = None, is_dry_run: bool = False
) -> Repaired | None:
    """Repair *lane*, or only tell what a repair would do; None if it needs none.

    Killed at any point it can simply be run again: until the cursor is set the lane is seen to be stopped.
    """
    before = await _found(place, lane)
    if before.is_sound:
        return None
    for attempt in range(1, _ATTEMPTS + 1):
        attempted = LaneRepair(place, lane, since)
        try:
            return await (_preview if is_dry_run else _carry_out)(attempted, before)
        except (ProducerFenced, RepairedElsewhereError):
            log.warning("lane_repair_interrupted", lane=lane, attempt=attempt)
        finally:
            await attempted.discard()
    raise OperatorError(
        f"lane {lane}: a worker or another repair came in between {_ATTEMPTS} times; run it again, one at a time"
    )


async def _carry_out(repair: LaneRepair, before: LaneStanding) -> Repaired:
    await repair.fence()
    out = await repair.look()
    plan, cursor = await repair.renumber()
    await repair.set_cursor(cursor)
    log.info("lane_repaired", lane=before.lane, out=out, renumbered=len(plan.waiting), marker=plan.marker)
    return Repaired(before=before, out=out, plan=plan)


async def _preview(repair: LaneRepair, before: LaneStanding) -> Repaired:
    out = await repair.look()
    return Repaired(
        before=before, out=out, plan=await repair.preview(before.cursor.seq if before.cursor else 0)
    )


async def _found(place: Place, lane: int) -> LaneStanding:
    async with connected_client(place) as client:
        return await standing_of(place, client, lane)


@asynccontextmanager
async def connected_client(place: Place) -> AsyncIterator[AIOKafkaClient]:
    """Lend a client of the broker that only asks."""
    client = AIOKafkaClient(**place.connection)
    await client.bootstrap()
    try:
        yield client
    finally:
        await client.close()


def _id_of(queued: QueuedRecord) -> UUID:
    record = queued.record
    return record_id_of(record.topic, record.key, record.value, record.headers)
