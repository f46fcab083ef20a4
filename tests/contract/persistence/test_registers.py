"""Commands, ticks, wards, alarms and dead letters."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from domain.alarms import AlarmState, Kind, Priority
from domain.observations import Mode
from domain.times import to_ms
from persistence.alarms import Episode, OpenAlarms
from persistence.commands import CommandRow
from persistence.errors import DuplicateCommandError, StaleChartError
from persistence.headers import headers_from_json
from persistence.installation import Identity
from persistence.ticks import TickRow
from persistence.wards import WardKey
from tests.contract.persistence.builders import (
    NOON,
    a_dead_letter,
    a_key,
    an_admission,
    an_alarm,
    changed,
    until_it_waits,
)

WARD = WardKey("7B", Mode.REAL)


@pytest.fixture
async def chart_id(work):
    async with work() as unit:
        return (await unit.charts.lock({a_key(): 2}))[a_key()].chart_id


def a_command(chart_id, number=1, chart_seq=1):
    return CommandRow(
        command_id=UUID(int=number), chart_id=chart_id, chart_seq=chart_seq, kind="admit", issued_at=NOON,
        issued_by="registry", received_at=NOON, correlation_id=UUID(int=9), body='{"ward": "7B"}',
    )  # fmt: skip


async def save(work, *episodes):
    async with work() as unit:
        await unit.alarms.save(episodes)


class TestCommands:
    async def test_those_taken_in_before_are_known(self, work, chart_id):
        async with work() as unit:
            await unit.commands.add([a_command(chart_id)])

        async with work() as unit:
            assert await unit.commands.existing([UUID(int=1), UUID(int=2)]) == {UUID(int=1)}
            assert await unit.commands.existing([]) == set()

    async def test_a_command_twice_is_refused(self, work, chart_id):
        with pytest.raises(DuplicateCommandError):
            async with work() as unit:
                await unit.commands.add([a_command(chart_id), a_command(chart_id, chart_seq=2)])

    async def test_two_commands_of_one_number_are_refused(self, work, chart_id):
        with pytest.raises(DuplicateCommandError):
            async with work() as unit:
                await unit.commands.add([a_command(chart_id, 1), a_command(chart_id, 2)])

    async def test_a_command_of_no_chart_is_refused(self, work):
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            async with work() as unit:
                await unit.commands.add([a_command(404)])


async def test_a_tick_is_stored_once(work, chart_id, bystander):
    async with work() as unit:
        await unit.ticks.add([TickRow(chart_id, 3, NOON)])
        await unit.ticks.add([])
    with pytest.raises(asyncpg.UniqueViolationError):
        async with work() as unit:
            await unit.ticks.add([TickRow(chart_id, 3, NOON)])

    assert [tuple(row) for row in await bystander.fetch("SELECT * FROM ticks")] == [
        (chart_id, 3, NOON, "due", None)
    ]


class TestWards:
    async def test_a_ward_comes_back_as_it_was_saved(self, work):
        async with work() as unit:
            ward = (await unit.wards.lock({WARD: 5}))[WARD]
            after = replace(
                ward, ward_seq=1, clock_ms=4, silent={"P-1/mon": 4}, due_ms=9, alarms={"hr-high": an_alarm()}
            )
            await unit.wards.save({WARD: 0}, [after])

        async with work() as unit:
            assert await unit.wards.lock({WARD: 1}) == {WARD: after}

    async def test_a_second_writer_sees_the_first_ones_ward(self, work, bystander):
        async def load():
            async with work() as unit:
                return (await unit.wards.lock({WARD: 0}))[WARD]

        await load()
        async with work() as unit:
            ward = (await unit.wards.lock({WARD: 0}))[WARD]
            waiting = asyncio.create_task(load())
            await until_it_waits(waiting, bystander)
            await unit.wards.save({WARD: 0}, [replace(ward, ward_seq=1, clock_ms=8)])

        assert (await waiting).clock_ms == 8

    async def test_a_ward_is_due_on_its_lane_from_its_moment_on(self, work):
        async with work() as unit:
            ward = (await unit.wards.lock({WARD: 5}))[WARD]
            await unit.wards.save({WARD: 0}, [replace(ward, ward_seq=1, due_ms=to_ms(NOON))])

        async with work() as unit:
            assert await unit.wards.due([5], NOON - timedelta(milliseconds=1)) == []
            assert await unit.wards.due([4], NOON) == []
            assert await unit.wards.due([5], NOON) == [WARD]

    async def test_the_wards_of_a_lane_are_those_its_patients_lie_on(self, work):
        async with work() as unit:
            lanes = {
                a_key("P-1"): 0,
                a_key("P-2"): 0,
                a_key("P-3"): 0,
                a_key("P-4"): 1,
                a_key("P-5", Mode.TEST): 2,
            }
            charts = await unit.charts.lock(lanes)
            wards = {"P-1": "7B", "P-2": "7B", "P-4": "8A", "P-5": "9C"}
            after = [
                changed(stored, admission=an_admission(ward=wards[key.patient_id]))
                for key, stored in charts.items()
                if key.patient_id in wards
            ]
            await unit.charts.save(dict.fromkeys(charts, 0), after)

        async with work() as unit:
            assert await unit.wards.on_lanes([0, 1, 2]) == {0: {"7B", ""}, 1: {"8A"}, 2: {""}}

    async def test_a_ward_saved_over_another_state_is_stale(self, work):
        with pytest.raises(StaleChartError):  # noqa: PT012 - the transaction
            async with work() as unit:
                ward = (await unit.wards.lock({WARD: 0}))[WARD]
                await unit.wards.save({WARD: 3}, [replace(ward, ward_seq=4)])


class TestAlarms:
    async def test_an_episode_is_one_row_from_start_to_end(self, work, chart_id, bystander):
        alarm = an_alarm()
        await save(work, Episode(alarm=alarm, mode=Mode.REAL, chart_id=chart_id, updated_seq=1))

        over = replace(alarm, state=AlarmState.INACTIVE, value=90.0)
        await save(work, Episode(alarm=over, mode=Mode.REAL, chart_id=chart_id, updated_seq=2, ended_at=NOON))

        rows = await bystander.fetch("SELECT episode_id, state, value, ended_at, updated_seq FROM alarms")
        assert [tuple(row) for row in rows] == [(alarm.episode_id, "inactive", 90.0, NOON, 2)]

    async def test_of_one_episode_twice_in_a_batch_the_last_counts(self, work, chart_id, bystander):
        alarm = an_alarm(priority=Priority.MEDIUM)
        first = Episode(alarm=alarm, mode=Mode.REAL, chart_id=chart_id, updated_seq=1)
        second = replace(first, alarm=replace(alarm, priority=Priority.HIGH), updated_seq=2)

        await save(work, first, second)

        assert await bystander.fetchval("SELECT priority FROM alarms") == 3

    async def test_a_pending_alarm_is_not_kept(self, work, chart_id, bystander):
        pending = an_alarm(state=AlarmState.PENDING)

        await save(work, Episode(alarm=pending, mode=Mode.REAL, chart_id=chart_id, updated_seq=1))

        assert await bystander.fetchval("SELECT count(*) FROM alarms") == 0

    async def test_open_alarms_are_counted_by_lane(self, work, chart_id):
        async with work() as unit:
            await unit.wards.lock({WARD: 4})
        of_chart = {"mode": Mode.REAL, "chart_id": chart_id, "updated_seq": 1}
        over = Episode(alarm=an_alarm(state=AlarmState.INACTIVE), **of_chart, ended_at=NOON)
        of_ward = Episode(alarm=an_alarm(kind=Kind.TECHNICAL), mode=Mode.REAL, ward="7B", updated_seq=1)
        await save(work, Episode(alarm=an_alarm(), **of_chart), over, of_ward)

        async with work() as unit:
            physiological = OpenAlarms(Kind.PHYSIOLOGICAL, Priority.HIGH, AlarmState.ACTIVE)
            technical = physiological._replace(kind=Kind.TECHNICAL)
            assert await unit.alarms.count_open([2]) == {physiological: 1}
            assert await unit.alarms.count_open([4, 5]) == {technical: 1}

    @pytest.mark.parametrize(
        "wrong",
        [
            {"alarm": an_alarm(state=AlarmState.INACTIVE)},
            {"ended_at": NOON},
            {"chart_id": None},
            {"alarm": an_alarm(value_ms=None)},
        ],
        ids=["over without an end", "open with an end", "nobody's", "a value of no time"],
    )
    async def test_a_half_set_state_is_refused_by_the_table(self, work, chart_id, wrong):
        episode = Episode(alarm=an_alarm(), mode=Mode.REAL, chart_id=chart_id, updated_seq=1)

        with pytest.raises(asyncpg.CheckViolationError):
            await save(work, replace(episode, **wrong))


class TestDeadLetters:
    async def test_it_is_kept_byte_for_byte(self, work, engine):
        row = a_dead_letter()

        async with work() as unit:
            await unit.dead_letters.add([row, a_dead_letter(position=2, device_id="mon-1", value=None)])

        async with engine.connect() as connection:
            stored = (
                await connection.exec_driver_sql("SELECT * FROM dead_letters ORDER BY position")
            ).first()
        assert stored is not None
        assert (stored.key, stored.value, headers_from_json(stored.headers)) == (
            row.key,
            row.value,
            row.headers,
        )
        assert stored.problem == {"title": "not JSON"}

    async def test_the_same_record_refused_again_is_the_same_dead_letter(self, work, bystander):
        for reason in ("not_json", "not_utf8"):
            async with work() as unit:
                await unit.dead_letters.add([a_dead_letter(reason=reason)])

        assert [row[0] for row in await bystander.fetch("SELECT reason FROM dead_letters")] == ["not_json"]

    async def test_an_unknown_stage_is_refused_by_the_table(self, work):
        with pytest.raises(asyncpg.CheckViolationError):
            async with work() as unit:
                await unit.dead_letters.add([a_dead_letter(stage="somewhere")])


class TestInstallation:
    async def test_the_database_belongs_to_the_first_that_claims_it(self, work):
        first, second = (Identity(group=name, topic_prefix=f"{name}.") for name in ("one", "two"))
        async with work() as unit:
            assert await unit.installation.owner() is None

        for each in (first, second):
            async with work() as unit:
                await unit.installation.claim(each)

        async with work() as unit:
            assert await unit.installation.owner() == first
