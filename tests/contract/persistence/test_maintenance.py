"""Maintenance: months ahead, strays home; as often as one likes, beside running writers."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from persistence.errors import is_transient
from persistence.maintenance import maintain
from persistence.partitions import Month
from tests.contract.persistence.builders import NOON, a_reading

PARTITIONS = """
SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
WHERE i.inhparent = 'readings'::regclass ORDER BY 1
"""
AHEAD = ("readings_2026_11", "readings_2026_12", "readings_2027_01", "readings_2027_02")


async def add(work, *rows):
    async with work() as unit:
        await unit.readings.add(rows)


async def test_this_month_and_three_more_are_made(engine, bystander):
    report = await maintain(engine, now=NOON)

    assert report.partitions == AHEAD
    partitions = await bystander.fetch(PARTITIONS)
    assert [row[0] for row in partitions] == [*AHEAD, "readings_default"]
    assert partitions[1][1] == "FOR VALUES FROM ('2026-12-01 00:00:00+00') TO ('2027-01-01 00:00:00+00')"


async def test_a_second_run_finds_nothing_to_do(engine):
    await maintain(engine, now=NOON)

    report = await maintain(engine, now=NOON)

    assert (report.partitions, report.moved_rows) == ((), 0)


async def test_two_runs_at_once_make_each_month_once(engine):
    reports = await asyncio.gather(*(maintain(engine, now=NOON) for _ in range(3)))

    assert sorted(name for report in reports for name in report.partitions) == list(AHEAD)


async def test_readings_without_a_month_move_into_theirs(engine, work, bystander):
    last_moment = datetime(2026, 11, 30, 23, 59, 59, 999999, tzinfo=UTC)
    await add(
        work, a_reading(1), a_reading(2, at=last_moment), a_reading(3, at=last_moment + timedelta.resolution)
    )
    before = [tuple(row) for row in await bystander.fetch("SELECT * FROM readings ORDER BY reading_id")]

    report = await maintain(engine, now=NOON)

    assert report.moved_rows == 3
    assert await bystander.fetchval("SELECT count(*) FROM readings_default") == 0
    assert await bystander.fetchval("SELECT count(*) FROM readings_2026_11") == 2
    assert await bystander.fetchval("SELECT count(*) FROM readings_2026_12") == 1
    assert [
        tuple(row) for row in await bystander.fetch("SELECT * FROM readings ORDER BY reading_id")
    ] == before


async def test_a_month_long_past_is_made_for_its_readings(engine, work):
    await add(
        work,
        a_reading(1, at=datetime(1987, 6, 5, tzinfo=UTC)),
        a_reading(2, at=datetime(2200, 12, 31, tzinfo=UTC)),
    )

    report = await maintain(engine, now=NOON)

    assert {"readings_1987_06", "readings_2200_12"} < set(report.partitions)


async def test_a_months_readings_are_kept_once_and_checked_like_any(engine, work, bystander):
    await maintain(engine, now=NOON)

    await add(work, a_reading(1))

    assert await bystander.fetchval("SELECT count(*) FROM readings_2026_11") == 1
    like_the_default = await bystander.fetch(
        "SELECT conrelid::regclass::text AS name, count(*) FROM pg_constraint"
        " WHERE conrelid IN ('readings_default'::regclass, 'readings_2026_11'::regclass) AND contype IN ('c', 'p')"
        " GROUP BY 1 ORDER BY 1"
    )
    assert [tuple(row) for row in like_the_default] == [("readings_2026_11", 5), ("readings_default", 5)]
    assert (
        await bystander.fetchval("SELECT count(*) FROM pg_indexes WHERE tablename = 'readings_2026_11'") == 1
    )


async def test_making_months_does_not_lose_what_is_written_meanwhile(engine, work, bystander):
    async def write_one(number):
        rows = [a_reading(number, seconds=number), a_reading(number, at=NOON + timedelta(days=31))]
        while error := (await asyncio.gather(add(work, *rows), return_exceptions=True))[0]:
            assert is_transient(error), error  # its month was made under its hands

    async def write():
        for number in range(40):
            await write_one(number)

    await asyncio.gather(write(), maintain(engine, now=NOON))
    await maintain(engine, now=NOON)

    assert await bystander.fetchval("SELECT count(*) FROM readings") == 80
    assert await bystander.fetchval("SELECT count(*) FROM readings_default") == 0


@pytest.mark.parametrize(
    ("months", "expected"),
    [(0, Month(2026, 11)), (1, Month(2026, 12)), (2, Month(2027, 1)), (14, Month(2028, 1))],
)
def test_a_month_counts_over_the_years(months, expected):
    assert Month(2026, 11).later(months) == expected
