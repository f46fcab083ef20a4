"""Retention: what is past its age goes, what is not published or stands stays, and running writers hardly notice."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from persistence.maintenance import maintain
from persistence.repairs import NotedRecord
from persistence.retention import Limits, expire
from tests.contract.persistence.builders import NOON, a_key, a_reading, a_record

LONG_AGO = datetime(1970, 1, 2, tzinfo=UTC)
NOTHING = Limits(readings=LONG_AGO, history=LONG_AGO, outgoing=LONG_AGO, noted=LONG_AGO)
LATER = datetime(2100, 1, 1, tzinfo=UTC)


async def append(work, **lanes):
    async with work() as unit:
        await unit.lanes.ensure(2)
        await unit.outbox.append({int(name[-1]): [a_record()] * count for name, count in lanes.items()})


async def numbers(bystander):
    rows = await bystander.fetch("SELECT lane, array_agg(seq ORDER BY seq) FROM outbox GROUP BY 1 ORDER BY 1")
    return [tuple(row) for row in rows]


async def test_published_records_go_and_the_row_of_the_cursor_stays(engine, work, bystander):
    await append(work, lane0=5, lane1=5)

    removed = await expire(engine, replace(NOTHING, outgoing=None), {0: 3})

    assert removed.rows["outbox"] == 2
    assert await numbers(bystander) == [(0, [3, 4, 5]), (1, [1, 2, 3, 4, 5])]
    async with work() as unit:
        assert [row.seq for row in await unit.outbox.beyond(0, 3, 10)] == [4, 5]


async def test_published_records_stay_until_they_are_past_their_age(engine, work, bystander):
    await append(work, lane0=5)
    await bystander.execute(
        "UPDATE outbox SET recorded_at = recorded_at - interval '31 days' WHERE seq IN (1, 2, 4)"
    )
    month_ago = datetime.now(UTC) - timedelta(days=30)

    await expire(engine, replace(NOTHING, outgoing=month_ago), {0: 3})

    assert await numbers(bystander) == [(0, [3, 4, 5])]


async def test_what_is_not_published_stays_however_old_it_is(engine, work, bystander):
    await append(work, lane0=3, lane1=3)

    await expire(engine, replace(NOTHING, outgoing=LATER), {0: 0})

    assert await numbers(bystander) == [(0, [1, 2, 3]), (1, [1, 2, 3])]


async def test_more_than_one_chunk_is_cleared(engine, work, bystander, monkeypatch):
    monkeypatch.setattr("persistence.retention.CHUNK", 3)
    await append(work, lane0=10)

    removed = await expire(engine, replace(NOTHING, outgoing=None), {0: 10})

    assert removed.rows["outbox"] == 9
    assert await numbers(bystander) == [(0, [10])]


async def months(bystander):
    query = (
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'readings'::regclass ORDER BY 1"
    )
    return [row[0] for row in await bystander.fetch(query)]


async def test_months_that_were_over_before_the_limit_are_dropped_with_their_readings(
    engine, work, bystander
):
    async with work() as unit:
        await unit.readings.add(
            [a_reading(number, at=NOON - timedelta(days=31 * number)) for number in range(4)]
        )
    await maintain(engine, now=NOON, months_ahead=1)

    removed = await expire(engine, replace(NOTHING, readings=datetime(2026, 10, 31, 23, 59, tzinfo=UTC)), {})

    assert removed.months == ("readings_2026_08", "readings_2026_09")
    assert await months(bystander) == [
        "readings_2026_10",
        "readings_2026_11",
        "readings_2026_12",
        "readings_default",
    ]
    assert await bystander.fetchval("SELECT count(*) FROM readings") == 2


async def test_readings_that_come_for_a_month_that_was_dropped_are_taken_in_like_any(engine, work, bystander):
    await maintain(engine, now=NOON, months_ahead=1)
    await expire(engine, replace(NOTHING, readings=datetime(2027, 6, 1, tzinfo=UTC)), {})

    async with work() as unit:
        await unit.readings.add([a_reading(1)])
    await maintain(engine, now=NOON, months_ahead=1)

    assert await bystander.fetchval("SELECT count(*) FROM readings_2026_11") == 1


async def test_a_month_that_somebody_holds_is_left_for_the_next_run(engine, bystander, monkeypatch):
    monkeypatch.setattr("persistence.retention._ATTEMPTS", 1)
    await maintain(engine, now=NOON, months_ahead=1)
    limits = replace(NOTHING, readings=datetime(2026, 12, 2, tzinfo=UTC))
    async with bystander.transaction():
        await bystander.execute("LOCK TABLE readings IN ACCESS SHARE MODE")  # as an audit or a backup does
        held = await expire(engine, limits, {})
    freed = await expire(engine, limits, {})

    assert (held.months, held.months_in_use) == ((), ("readings_2026_11",))
    assert (freed.months, freed.months_in_use) == (("readings_2026_11",), ())


async def test_of_the_history_what_is_past_its_age_goes_and_alarms_that_stand_stay(engine, work, bystander):
    async with work() as unit:
        await unit.lanes.ensure(1)
        chart_id = (await unit.charts.lock({a_key(): 0}))[a_key()].chart_id
        await unit.repairs.note(0, [NotedRecord(uuid4(), "alerts", 1, NOON)])
    for days in (10, 500):
        at = datetime.now(UTC) - timedelta(days=days)
        await bystander.execute(
            "INSERT INTO ticks (chart_id, chart_seq, at) VALUES ($1, $2, $3)", chart_id, days, at
        )
        for ended_at, state in ((at, "inactive"), (None, "active")):
            await bystander.execute(
                "INSERT INTO alarms (episode_id, alarm_id, chart_id, mode, rule_id, kind, state, priority, onset_at,"
                " started_at, ended_at, updated_seq)"
                " VALUES (gen_random_uuid(), gen_random_uuid(), $1, 'real', 'r', 'technical', $2, 1, $3, $3, $4, 1)",
                chart_id, state, at, ended_at,
            )  # fmt: skip
    await bystander.execute("UPDATE published_ids SET noted_at = now() - interval '31 days'")
    year_ago, month_ago = (datetime.now(UTC) - timedelta(days=days) for days in (400, 30))

    removed = await expire(engine, replace(NOTHING, history=year_ago, noted=month_ago), {})

    assert {table: count for table, count in removed.rows.items() if count} == {
        "ticks": 1,
        "alarms": 1,
        "published_ids": 1,
    }
    assert await bystander.fetchval("SELECT count(*) FROM alarms WHERE ended_at IS NULL") == 2


async def test_whoever_writes_readings_meanwhile_loses_nothing(engine, work, bystander):
    await maintain(engine, now=NOON, months_ahead=12)
    over = asyncio.Event()
    written = 0

    async def write():
        nonlocal written
        while not over.is_set():
            async with work() as unit:
                await unit.readings.add([a_reading(written, seconds=written)])
            written += 1

    writing = asyncio.create_task(write())
    await maintain(engine, now=NOON - timedelta(days=900), months_ahead=20)
    removed = await expire(engine, replace(NOTHING, readings=NOON - timedelta(days=30)), {})
    over.set()
    await writing

    assert len(removed.months) == 21
    assert written > 0
    assert await bystander.fetchval("SELECT count(*) FROM readings") == written


@pytest.mark.parametrize("table", ["commands", "ticks", "alarms", "dead_letters", "dead_letter_replays"])
async def test_an_empty_table_is_no_trouble(engine, table):
    assert (await expire(engine, replace(NOTHING, history=LATER), {})).rows[table] == 0
