"""The outbox: numbered without a gap per lane, in the order of commits, and the same bytes when read back."""

import asyncio
from contextlib import suppress
from uuid import UUID

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persistence.errors import OutboxGapError, UnknownLaneError
from persistence.headers import headers_from_json, headers_to_text
from tests.contract.persistence.builders import NOON, a_record, until_it_waits


@pytest.fixture
async def lanes(work):
    async with work() as unit:
        await unit.lanes.ensure(3)


pytestmark = pytest.mark.usefixtures("lanes")


async def append(work, *lanes, count=1):
    async with work() as unit:
        return await unit.outbox.append({lane: [a_record()] * count for lane in lanes})


async def beyond(work, lane=0, seq=0, limit=100):
    async with work() as unit:
        return await unit.outbox.beyond(lane, seq, limit)


async def test_each_lane_is_numbered_from_one(work):
    assert await append(work, 0, 2, count=2) == {0: 2, 2: 2}
    assert await append(work, 2) == {2: 3}

    assert [row.seq for row in await beyond(work, 2)] == [1, 2, 3]


async def test_records_keep_their_order(work):
    async with work() as unit:
        await unit.outbox.append({0: [a_record(b"first"), a_record(b"second")]})

    assert [row.record.value for row in await beyond(work)] == [b"first", b"second"]


async def test_a_record_comes_back_as_it_was_given(work):
    record = a_record(
        b"\x00\xff",
        topic="dead_letters",
        key=None,
        headers=(("trace", b"\x00\xff"), ("none", None), ("empty", b""), ("trace", b"again"), ("né", b"{}")),
        ce_id=UUID(int=3),
        priority=3,
        observed_at=NOON,
        received_at=NOON,
    )

    async with work() as unit:
        await unit.outbox.append({1: [record, a_record(value=None)]})

    first, second = await beyond(work, 1)
    assert first.record == record
    assert second.record.value is None


@given(st.lists(st.tuples(st.text(st.characters(codec="utf-8")), st.none() | st.binary())))
def test_headers_are_the_same_bytes_when_read_back(headers):
    import orjson  # noqa: PLC0415

    assert headers_from_json(orjson.loads(headers_to_text(headers))) == tuple(headers)


async def test_a_transaction_that_was_rolled_back_leaves_no_gap(work):
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the transaction
        async with work() as unit:
            await unit.outbox.append({0: [a_record()] * 5})
            raise ZeroDivisionError

    assert await append(work, 0) == {0: 1}


async def test_appenders_at_once_leave_no_gap_and_do_not_deadlock(work):
    async def append_some(lanes, *, fails):
        for number in range(10):
            with suppress(ZeroDivisionError):
                async with work() as unit:
                    await unit.outbox.append({lane: [a_record()] * (number % 3 + 1) for lane in lanes})
                    assert 1 / (1 - (fails and number % 2))

    await asyncio.gather(
        append_some([0, 1, 2], fails=False),
        append_some([2, 1, 0], fails=True),
        append_some([1, 0], fails=False),
    )

    for lane in range(3):
        rows = await beyond(work, lane)
        async with work() as unit:
            assert await unit.outbox.last_seq(lane) == len(rows)
    assert len(await beyond(work, 2)) == 19 + 10


async def test_a_later_number_is_committed_later(work, bystander):
    async with work() as unit:
        await unit.outbox.append({0: [a_record(b"first")]})
        waiting = asyncio.create_task(append(work, 0))
        await until_it_waits(waiting, bystander)

    assert await waiting == {0: 2}


async def test_a_page_begins_after_the_cursor_and_ends_at_the_limit(work):
    await append(work, 0, count=5)

    assert [row.seq for row in await beyond(work, seq=1, limit=3)] == [2, 3, 4]
    assert await beyond(work, seq=5) == []


@pytest.mark.parametrize("missing", [1, 3, 5], ids=["first", "middle", "last"])
async def test_a_missing_number_is_found(work, bystander, missing):
    await append(work, 0, count=5)
    await bystander.execute("DELETE FROM outbox WHERE seq = $1", missing)

    with pytest.raises(OutboxGapError, match="lane 0"):
        await beyond(work)


async def test_a_cursor_beyond_the_last_number_is_a_gap(work):
    await append(work, 0, count=5)

    with pytest.raises(OutboxGapError):
        await beyond(work, seq=6)


async def test_a_row_is_told_by_its_nonce(work):
    await append(work, 0, count=2)
    rows = await beyond(work)

    async with work() as unit:
        assert [await unit.outbox.nonce_of(0, row.seq) for row in rows] == [row.nonce for row in rows]
        assert await unit.outbox.nonce_of(0, 3) is None
    assert rows[0].nonce != rows[1].nonce


async def test_the_backlog_is_what_lies_beyond_the_cursors(work, bystander):
    await append(work, 0, 1, count=3)

    async with work() as unit:
        backlog = await unit.outbox.backlog({0: 1, 1: 3, 2: 0})

    assert {lane: each.pending for lane, each in backlog.items()} == {0: 2, 1: 0, 2: 0}
    assert backlog[0].oldest_at == await bystander.fetchval("SELECT min(recorded_at) FROM outbox")
    assert backlog[1].oldest_at is None


async def test_nothing_to_say_locks_nothing(work):
    async with work() as unit:
        assert await unit.outbox.append({}) == {}
        assert await unit.outbox.append({0: []}) == {}


async def test_an_unknown_lane_is_refused(work):
    with pytest.raises(UnknownLaneError, match="no lane 7"):
        await append(work, 0, 7)
    with pytest.raises(UnknownLaneError):
        await beyond(work, 7)

    assert await beyond(work, 0) == []


async def test_lanes_are_made_once_and_begin_at_no_repair(work):
    await append(work, 0)

    async with work() as unit:
        await unit.lanes.ensure(4)
        assert await unit.lanes.count() == 4
        assert await unit.lanes.epoch(3) == 0
        assert await unit.outbox.last_seq(0) == 1
        with pytest.raises(UnknownLaneError):
            await unit.lanes.epoch(4)


async def test_a_priority_that_is_none_is_refused_by_the_table(work):
    with pytest.raises(asyncpg.CheckViolationError):
        async with work() as unit:
            await unit.outbox.append({0: [a_record(priority=4)]})
