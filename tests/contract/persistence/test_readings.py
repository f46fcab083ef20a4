"""Readings: each once, in whatever month, and conflicts found."""

from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest

from persistence.errors import DuplicateReadingError
from persistence.readings import Candidate
from tests.contract.persistence.builders import NOON, a_reading


def as_candidate(row):
    return Candidate(row.chart_id, row.observed_at, row.reading_id, row.device_id, row.vital_sign, row.site)


async def add(work, *rows):
    async with work() as unit:
        await unit.readings.add(rows)


async def existing(work, *rows):
    async with work() as unit:
        return await unit.readings.existing([as_candidate(row) for row in rows])


async def test_a_reading_is_stored_with_all_that_is_known_of_it(work, bystander):
    row = a_reading(5, site="oral", device="mask", flags=["late", "suspect"], value=37.5)

    await add(work, row)

    columns = ", ".join(row._fields)
    assert tuple(await bystander.fetchrow(f"SELECT {columns} FROM readings")) == tuple(row)


@pytest.mark.parametrize("where", ["stored before", "in the same batch"])
async def test_a_reading_twice_is_refused_and_nothing_of_the_batch_is_stored(work, bystander, where):
    batch = [a_reading(1), a_reading(2)]
    if where == "stored before":
        await add(work, a_reading(1))
    else:
        batch.append(a_reading(1))
    before = await bystander.fetchval("SELECT count(*) FROM readings")

    with pytest.raises(DuplicateReadingError):
        await add(work, *batch)

    assert await bystander.fetchval("SELECT count(*) FROM readings") == before


async def test_those_stored_already_are_found(work):
    await add(work, a_reading(1), a_reading(2, seconds=1))

    known, conflicts = await existing(work, a_reading(1), a_reading(2, seconds=1), a_reading(3, seconds=2))

    assert known == {(1, UUID(int=1)), (1, UUID(int=2))}
    assert conflicts == set()


async def test_another_content_of_the_same_instant_device_and_sign_is_a_conflict(work):
    await add(work, a_reading(1, value=88.0))

    known, conflicts = await existing(work, a_reading(2, value=99.0))

    assert known == set()
    assert conflicts == {(1, NOON, "mon-7b-12", "heart_rate", None)}


@pytest.mark.parametrize(
    "other",
    [
        {"chart_id": 2},
        {"at": NOON.replace(second=1)},
        {"device_id": "mon-7b-13"},
        {"vital_sign": "pulse"},
        {"site": "finger"},
    ],
    ids=lambda other: next(iter(other)),
)
async def test_a_reading_of_another_slot_is_no_conflict(work, other):
    await add(work, a_reading(1))

    assert await existing(work, a_reading(2, **other)) == (set(), set())


async def test_nothing_asked_is_nothing_found(work):
    assert await existing(work) == (set(), set())


@pytest.mark.parametrize("year", [1900, 1970, 2026, 2200])
async def test_no_reading_is_refused_for_its_time(work, bystander, year):
    await add(work, a_reading(at=datetime(year, 2, 28, tzinfo=UTC)))

    assert await bystander.fetchval("SELECT count(*) FROM readings_default") == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"validity": "fine"},
        {"acquisition": "now and then"},
        {"value": float("nan")},
        {"value": float("inf")},
        {"value": None, "validity": "questionable"},
    ],
    ids=str,
)
async def test_what_cannot_be_is_refused_by_the_table(work, wrong):
    with pytest.raises(asyncpg.CheckViolationError):
        await add(work, a_reading(**wrong))


async def test_an_absent_reading_needs_no_value(work):
    await add(work, a_reading(value=None, validity="absent"))
