"""The chart's lock: one writer at a time, who sees what the last one wrote."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.chart import Track
from domain.observations import Mode
from domain.times import to_ms
from domain.vital_signs import VitalSign
from persistence.chart_cache import ChartCache
from persistence.errors import StaleChartError
from tests.contract.persistence.builders import NOON, a_key, an_admission, changed, until_it_waits


async def save(work, key, **changes):
    async with work() as unit:
        stored = (await unit.charts.lock({key: 0}))[key]
        await unit.charts.save({key: stored.chart.chart_seq}, [changed(stored, **changes)])
        return stored.chart_id


async def load(work, key):
    async with work() as unit:
        return (await unit.charts.lock({key: 0}))[key].chart


async def test_a_chart_that_is_not_there_is_made_and_locked(work):
    async with work() as unit:
        stored = (await unit.charts.lock({a_key(): 4}))[a_key()]

    assert stored.chart.lane == 4
    assert stored.chart.chart_seq == 0


async def test_a_chart_comes_back_as_it_was_saved(work):
    admission = an_admission()
    await save(work, a_key(), clock_ms=17, due_ms=to_ms(NOON), admission=admission)

    chart = await load(work, a_key())

    assert (chart.chart_seq, chart.clock_ms, chart.due_ms, chart.admission) == (1, 17, to_ms(NOON), admission)


async def test_where_the_patient_lies_can_be_asked_of_the_table(work, bystander):
    await save(work, a_key(), admission=an_admission(ward="7B", bed="12"))

    row = await bystander.fetchrow("SELECT ward, bed, admitted_at FROM charts")

    assert tuple(row) == ("7B", "12", NOON)


async def test_a_chart_keeps_the_lane_it_was_made_with(work):
    await save(work, a_key())

    async with work() as unit:
        stored = (await unit.charts.lock({a_key(): 5}))[a_key()]

    assert stored.chart.lane == 0


async def test_locking_known_charts_uses_up_no_number(work, bystander):
    for _ in range(3):
        await load(work, a_key())

    await load(work, a_key("P-2"))

    assert [row[0] for row in await bystander.fetch("SELECT chart_id FROM charts ORDER BY 1")] == [1, 2]


async def test_test_data_has_a_chart_of_its_own(work):
    await save(work, a_key(mode=Mode.TEST), clock_ms=5)

    assert (await load(work, a_key(mode=Mode.REAL))).clock_ms == 0


async def test_a_chart_read_after_the_lock_is_the_one_the_other_committed(work, bystander):
    await save(work, a_key(), clock_ms=1)

    async with work() as unit:
        stored = (await unit.charts.lock({a_key(): 0}))[a_key()]
        waiting = asyncio.create_task(load(work, a_key()))
        await until_it_waits(waiting, bystander)
        await unit.charts.save({a_key(): 1}, [changed(stored, clock_ms=2)])
    chart = await waiting

    assert (chart.chart_seq, chart.clock_ms) == (2, 2)


async def test_a_chart_both_would_make_is_made_once_and_the_second_sees_the_first(work, bystander):
    async with work() as unit:
        stored = (await unit.charts.lock({a_key(): 0}))[a_key()]
        waiting = asyncio.create_task(load(work, a_key()))
        await until_it_waits(waiting, bystander)
        await unit.charts.save({a_key(): 0}, [changed(stored, clock_ms=2)])
    chart = await waiting

    assert (chart.chart_seq, chart.clock_ms) == (1, 2)


async def test_charts_are_locked_in_the_order_of_their_patients(work, bystander):
    keys = [a_key("P-3"), a_key("P-2"), a_key("P-1")]
    for key in keys:  # so that neither the table's order nor the caller's is the right one
        await load(work, key)

    async def lock():
        async with work() as unit:
            await unit.charts.lock(dict.fromkeys(keys, 0))

    async with bystander.transaction():
        await bystander.execute("SELECT FROM charts WHERE patient_id = 'P-2' FOR UPDATE")
        waiting = asyncio.create_task(lock())
        await until_it_waits(waiting, bystander)
        free = await bystander.fetch("SELECT patient_id FROM charts ORDER BY 1 FOR UPDATE SKIP LOCKED")
    await waiting

    assert [row[0] for row in free] == ["P-2", "P-3"]


async def test_charts_are_made_in_the_order_of_their_patients(work, bystander):
    insert = "INSERT INTO charts (patient_id, mode, lane) VALUES ($1, 'real', 1)"

    async def lock():
        async with work() as unit:
            return await unit.charts.lock({a_key("P-3"): 0, a_key("P-2"): 0, a_key("P-1"): 0})

    async with bystander.transaction():
        await bystander.execute(insert, "P-2")
        waiting = asyncio.create_task(lock())
        await until_it_waits(waiting, bystander)
        await bystander.execute(insert, "P-3")  # a deadlock, had the other made it already
    charts = await waiting

    assert [charts[a_key(patient)].chart.lane for patient in ("P-1", "P-2", "P-3")] == [0, 1, 1]


@pytest.mark.parametrize("are_there", [True, False], ids=["there", "not there yet"])
async def test_batches_in_opposite_order_do_not_deadlock(work, are_there):
    keys = [a_key(f"P-{number}") for number in range(60)]
    if are_there:
        async with work() as unit:
            await unit.charts.lock(dict.fromkeys(keys, 0))

    async def add_one(some):
        for _ in range(5):
            async with work() as unit:
                charts = await unit.charts.lock(dict.fromkeys(some, 0))
                after = [changed(stored) for stored in charts.values()]
                await unit.charts.save({key: stored.chart.chart_seq for key, stored in charts.items()}, after)

    await asyncio.gather(add_one(keys), add_one(keys[::-1]), add_one(keys[20:50][::-1]))

    async with work() as unit:
        charts = await unit.charts.lock(dict.fromkeys(keys, 0))
    counts = [charts[key].chart.chart_seq for key in keys]
    assert counts == [10] * 20 + [15] * 30 + [10] * 10


async def test_a_chart_saved_over_another_state_than_was_read_is_stale(work):
    await save(work, a_key())

    with pytest.raises(StaleChartError, match="0 of 1"):  # noqa: PT012 - the transaction
        async with work() as unit:
            stored = (await unit.charts.lock({a_key(): 0}))[a_key()]
            await unit.charts.save({a_key(): 0}, [changed(stored)])

    assert (await load(work, a_key())).chart_seq == 1


async def test_charts_are_due_in_their_lane_the_longest_overdue_first(work):
    for number, (patient, minutes) in enumerate(
        {"P-1": 3, "P-2": 1, "P-3": 2, "P-4": None, "P-5": 60}.items()
    ):
        due_ms = None if minutes is None else to_ms(NOON + timedelta(minutes=minutes))
        await save(work, a_key(patient), due_ms=due_ms, clock_ms=number)
    async with work() as unit:
        at = NOON + timedelta(minutes=3)

        assert await unit.charts.due([0], at, 10) == [a_key("P-2"), a_key("P-3"), a_key("P-1")]
        assert await unit.charts.due([0, 1], at, 2) == [a_key("P-2"), a_key("P-3")]
        assert await unit.charts.due([1], at, 10) == []
        assert await unit.charts.due([], at, 10) == []


async def test_saving_a_chart_touches_no_index(work, engine, bystander):
    key = a_key()
    for number in range(20):
        await save(work, key, clock_ms=number, due_ms=to_ms(NOON), admission=an_admission())

    await engine.dispose()  # a connection reports what it did when it ends, if not before
    updates = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'charts'"
    for _ in range(40):
        updated, hot = await bystander.fetchrow(updates)
        if updated == 20:
            break
        await asyncio.sleep(0.1)

    assert (updated, hot) == (20, 19)  # the first gives the chart its due time


class TestCache:
    @pytest.fixture
    def cache(self):
        return ChartCache(capacity=2)

    @pytest.fixture
    def cached(self, work, cache):
        return lambda: work(chart_cache=cache)

    async def test_a_chart_that_nobody_else_changed_is_not_read_again(self, cached):
        await save(cached, a_key(), clock_ms=7)

        assert await load(cached, a_key()) is await load(cached, a_key())

    async def test_another_writers_change_is_seen(self, cached, work):
        await save(cached, a_key(), clock_ms=7)
        await save(work, a_key(), clock_ms=8)

        assert (await load(cached, a_key())).clock_ms == 8

    async def test_a_batch_that_was_rolled_back_leaves_nothing_behind(self, cached, work):
        await save(cached, a_key(), clock_ms=7)
        before = await load(cached, a_key())
        with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the transaction
            async with cached() as unit:
                stored = (await unit.charts.lock({a_key(): 0}))[a_key()]
                await unit.charts.save({a_key(): 1}, [changed(stored, clock_ms=666)])
                raise ZeroDivisionError

        assert await load(cached, a_key()) is before
        await save(work, a_key(), clock_ms=8)  # the number that was rolled back is given again

        assert (await load(cached, a_key())).clock_ms == 8

    async def test_a_chart_made_by_a_batch_that_was_rolled_back_is_made_anew(self, cached):
        with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the transaction
            async with cached() as unit:
                await unit.charts.lock({a_key(): 0})
                raise ZeroDivisionError

        async with cached() as unit:
            stored = (await unit.charts.lock({a_key(): 3}))[a_key()]

        assert (stored.chart.lane, stored.chart.chart_seq) == (3, 0)

    async def test_the_same_number_written_at_another_time_is_another_chart(self, cached, bystander):
        await save(cached, a_key(), clock_ms=7)
        await bystander.execute(  # as after a restored backup: the numbers are given a second time
            """UPDATE charts SET form = '{"clock": 8}', updated_at = updated_at + interval '1 microsecond'"""
        )

        assert (await load(cached, a_key())).clock_ms == 8

    async def test_the_chart_used_longest_ago_is_forgotten_first(self, cached, cache):
        for patient in ("P-1", "P-2"):
            await save(cached, a_key(patient))
        first = await load(cached, a_key("P-1"))

        await save(cached, a_key("P-3"))

        assert len(cache) == 2
        assert await load(cached, a_key("P-1")) is first

    async def test_a_chart_that_was_seen_and_is_there_no_more_is_made_anew(self, cached, bystander):
        for patient in ("P-1", "P-2"):
            await save(cached, a_key(patient), clock_ms=7)
        await bystander.execute("DELETE FROM charts WHERE patient_id = 'P-1'")  # as after a restored backup

        async with cached() as unit:
            found = await unit.charts.lock({a_key("P-1"): 0, a_key("P-2"): 0})

        assert [(key.patient_id, each.chart.chart_seq) for key, each in sorted(found.items())] == [
            ("P-1", 0),
            ("P-2", 1),
        ]

    async def test_a_track_that_did_not_change_is_kept_beside_one_that_did(self, cached, work):
        tracks = {VitalSign.PULSE: Track(value_ms=1), VitalSign.SPO2: Track(value_ms=2)}
        await save(cached, a_key(), tracks=tracks)
        await save(cached, a_key(), tracks=tracks | {VitalSign.SPO2: Track(value_ms=3)})

        chart = await load(work, a_key())

        assert {sign: track.value_ms for sign, track in chart.tracks.items()} == {
            VitalSign.PULSE: 1,
            VitalSign.SPO2: 3,
        }

    async def test_a_cached_chart_equals_a_read_one(self, cached, work):
        await save(cached, a_key(), admission=an_admission(), due_ms=to_ms(NOON))

        assert await load(cached, a_key()) == await load(work, a_key())


def test_a_chart_step_is_a_copy():
    """The builder must not change what is cached."""
    from domain.chart import Chart  # noqa: PLC0415
    from persistence.charts import StoredChart  # noqa: PLC0415

    before = StoredChart(1, Chart(patient_id="P-1", mode=Mode.REAL, lane=0))

    assert changed(before).chart == replace(before.chart, chart_seq=1)
