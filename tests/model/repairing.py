"""Repair: what an operator runs for a lane whose database was restored or whose cursor was reset."""

from typing import TYPE_CHECKING

from tests.model.broker import CoordinatorError, Cursor, FencedError, NoReplyError, Steps
from tests.model.charting import Lane, Row
from tests.model.clinic import Alert
from tests.model.database import ConnectionLostError, Transaction
from tests.model.defects import Defect
from tests.model.publishing import Producer, read_cursor

if TYPE_CHECKING:
    from tests.model.world import World


class RepairedElsewhereError(Exception):
    """Another repair of the same lane has begun."""


def repair(world: "World", lane: int) -> Steps:
    """Repair *lane* once; after any error it is simply run again."""
    try:
        yield from _repair(world, lane)
    except (
        CoordinatorError,
        ConnectionLostError,
        FencedError,
        NoReplyError,
        RepairedElsewhereError,
    ) as error:
        world.saw(f"repair: {type(error).__name__}")
        return
    world.stopped.discard(lane)
    world.saw("lane repaired")


def _repair(world: "World", lane: int) -> Steps:
    """Raise the epoch, fence, see what is out, renumber what is not, and set the cursor to the marker between."""
    with world.database.begin(repair) as transaction:
        yield from transaction.lock([("lane", lane)])
        row: Lane = transaction.get(("lane", lane))
        epoch = row.epoch + 1
        transaction.put(("lane", lane), row._replace(epoch=epoch))
        yield from transaction.commit()
    producer = Producer(
        world.broker, f"repair.{lane}" if world.planted is Defect.REPAIR_NOT_FENCED else str(lane)
    )
    yield
    published = world.broker.read_committed(lane)
    out = frozenset(each.alert for each in published)
    cursor = yield from read_cursor(world.broker, lane)
    numbers = [cursor.seq if cursor else 0]
    if world.planted is not Defect.MARKER_TOO_LOW:
        numbers += [each.seq for each in published]
    with world.database.begin(repair) as transaction:
        yield from transaction.lock([("lane", lane)])
        if transaction.get(("lane", lane)).epoch != epoch:
            raise RepairedElsewhereError
        marker = _renumber(world, transaction, lane, out, max(numbers))
        yield from transaction.commit()
    kafka = producer.begin()
    kafka.cursor = lane, Cursor(marker.seq, marker.nonce)
    yield from world.broker.commit(kafka)


def _renumber(
    world: "World", transaction: Transaction, lane: int, out: frozenset[Alert], published: int
) -> Row:
    """Write a marker beyond every number given or out, and behind it, renumbered, the rows that are not out.

    One number before the marker stays free for ever: a publisher that took the lane meanwhile, and may have
    published what was not out yet, finds it missing and stops, whatever its cursor.
    """
    row: Lane = transaction.get(("lane", lane))
    stored = [transaction.get(("outbox", lane, seq)) for seq in range(row.last_seq + 1)]
    waiting = [each for each in stored if each and each.alert is not None and each.alert not in out]
    free = 0 if world.planted is Defect.MARKER_ADJOINS else 1
    marker = Row(max(row.last_seq, published) + free + 1, world.database.nonce(), None)
    transaction.put(("outbox", lane, marker.seq), marker)
    for each in waiting:
        transaction.put(("outbox", lane, each.seq), None)
    for seq, each in enumerate(waiting, marker.seq + 1):
        transaction.put(("outbox", lane, seq), Row(seq, world.database.nonce(), each.alert))
    transaction.put(("lane", lane), row._replace(last_seq=marker.seq + len(waiting)))
    if world.planted is not Defect.REPAIR_NOTES_NOTHING:
        noted = transaction.get(("noted", lane)) or frozenset()
        transaction.put(("noted", lane), noted | out)
    return marker
