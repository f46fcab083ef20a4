"""What an audit asks: the numbers of a chart are whole wherever the range begins and ends, and nobody waits for it."""

import asyncio
from datetime import timedelta

import pytest

from persistence.audit import TimeRange, audit_reads
from persistence.ticks import TickRow
from tests.contract.persistence.builders import NOON, a_key, a_reading, changed

MINUTE = timedelta(minutes=1)
LAST = 9


@pytest.fixture
async def chart_id(work):
    """A chart that took in a set of two readings each minute from noon on, but a tick at the fifth."""
    async with work() as unit:
        stored = (await unit.charts.lock({a_key(): 0}))[a_key()]
        chart = stored
        for _ in range(LAST):
            chart = changed(chart)
        await unit.charts.save({a_key(): 0}, [chart])
        await unit.ticks.add([TickRow(chart.chart_id, 5, NOON + 5 * MINUTE)])
        await unit.readings.add(
            a_reading(
                10 * seq + part,
                chart_id=chart.chart_id,
                at=NOON + seq * MINUTE,
                received_at=NOON + seq * MINUTE,
                chart_seq=seq,
            )
            for seq in range(1, LAST + 1)
            if seq != 5
            for part in range(2)
        )
    return chart.chart_id


async def opening(engine, begins=0, ends=None):
    """How things stand from *begins* to *ends* minutes after noon; up to now without an end."""
    until = NOON + (1000 if ends is None else ends) * MINUTE
    async with audit_reads(engine) as reads:
        return await reads.opening(TimeRange(NOON + begins * MINUTE, until, is_open=ends is None))


@pytest.mark.parametrize(
    ("begins", "ends"), [(0, None), (3, None), (0, 6), (3, 6), (5, 6), (9, None), (100, None)]
)
async def test_a_chart_that_is_whole_is_whole_in_any_range(engine, chart_id, begins, ends):
    found = await opening(engine, begins, ends)

    assert (found.missing, found.doubled) == (frozenset(), frozenset())


@pytest.mark.parametrize("seq", [1, 4, 5, 6, 9])
@pytest.mark.parametrize("minutes", [(0, None), (0, 6), (6, None), (3, 7)])
async def test_a_number_that_is_missing_is_found_by_every_range_it_lies_in_or_borders_on(
    engine, bystander, chart_id, seq, minutes
):
    begins, ends = minutes
    await bystander.execute("DELETE FROM readings WHERE chart_seq = $1", seq)
    await bystander.execute("DELETE FROM ticks WHERE chart_seq = $1", seq)

    found = await opening(engine, begins, ends)

    within = begins <= seq and (ends is None or seq < ends)
    borders = seq in (begins - 1, ends)
    assert found.missing == ({(chart_id, seq)} if within or borders else frozenset())


async def test_what_was_observed_long_before_it_was_received_is_no_hole(engine, bystander, chart_id):
    await bystander.execute(
        "UPDATE readings SET observed_at = observed_at - interval '300 days' WHERE chart_seq = 4"
    )

    assert (await opening(engine)).missing == frozenset()


async def test_a_number_that_two_inputs_bear_is_doubled(engine, work, chart_id):
    async with work() as unit:
        await unit.ticks.add([TickRow(chart_id, 1, NOON + MINUTE), TickRow(chart_id, 4, NOON + MINUTE)])

    assert (await opening(engine)).doubled == {(chart_id, 1), (chart_id, 4)}


async def test_a_chart_of_which_nothing_is_left_is_found(engine, bystander, chart_id):
    await bystander.execute("DELETE FROM readings")
    await bystander.execute("DELETE FROM ticks")

    assert (chart_id, LAST) in (await opening(engine, begins=-100)).missing


async def test_readings_are_counted_by_when_they_were_received(engine, chart_id):
    assert [(await opening(engine, begins, 8)).readings for begins in (0, 4, 5, 6)] == [12, 6, 4, 4]


async def test_nobody_waits_for_an_audit_and_it_sees_one_moment(engine, work, chart_id):
    async with audit_reads(engine) as reads:
        before = await reads.opening(TimeRange(NOON, NOON + 100 * MINUTE, is_open=True))
        async with asyncio.timeout(2), work() as unit:
            stored = (await unit.charts.lock({a_key(): 0}))[a_key()]
            await unit.readings.add([a_reading(99, chart_id=chart_id, chart_seq=LAST + 1)])
            await unit.charts.save({a_key(): LAST}, [changed(stored)])
        after = await reads.opening(TimeRange(NOON, NOON + 100 * MINUTE, is_open=True))

    assert before == after
