"""A device that turns bad, on a real database: one alarm, a dead letter for each set, and an end by itself."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.alerts import Phase, Reason
from domain.observations import Mode
from persistence.dead_letter_search import Place
from persistence.devices import DeviceKey
from persistence.unit_of_work import unit_of_work
from tests.contract.worker.records import LANES, a_batch, a_set
from worker.batches import Run, read_batch
from worker.dead_letters.rounds import Origin, headers_of_next_round
from worker.device_results import results_of
from worker.lanes import lane_of

KEY = DeviceKey("mon-1", Mode.REAL)


def bad(first, count):
    """Sets of which nothing can be used: a unit that no heart rate is measured in."""
    some = [a_set(offset, offset, mode="real") for offset in range(first, first + count)]
    return [replace(record, value=record.value.replace(b"/min", b"K")) for record in some]


def good(first, count, device="mon-1"):
    return [a_set(offset, offset, mode="real", device=device) for offset in range(first, first + count)]


async def handled(pipeline, records):
    outcome = await pipeline.handle_batch(await a_batch(*records))
    return [(alert.phase, alert.reason) for alert in outcome.counts.alerts if alert.patient_id is None]


async def test_a_device_that_turns_bad_is_told_once_and_ends_by_itself(pipeline, bystander):
    said = [
        await handled(pipeline, bad(0, 10)),
        await handled(pipeline, bad(10, 15)),
        await handled(pipeline, bad(25, 30)),
        await handled(pipeline, good(55, 2)),
    ]
    open_ = await bystander.fetch(
        "SELECT device_id, rule_id, chart_id, ward FROM alarms WHERE ended_at IS NULL"
    )
    said.append(await handled(pipeline, good(57, 1)))

    start, end = (Phase.START, Reason.DEVICE_UNUSABLE), (Phase.END, Reason.DEVICE_USABLE)
    assert said == [[], [start], [], [], [end]]
    assert [tuple(row) for row in open_] == [("mon-1", "device-unusable", None, None)]
    assert await bystander.fetchval("SELECT count(*) FROM alarms WHERE ended_at IS NULL") == 0
    assert await bystander.fetchval("SELECT count(*) FROM dead_letters") == 55
    assert await bystander.fetchval("SELECT lane FROM outbox WHERE topic = 'alerts'") == lane_of(
        "mon-1", LANES
    )


async def test_a_set_with_one_bad_reading_is_no_bad_set(pipeline):
    half = [a_set(offset, offset, mode="real", heart_rate=80, spo2=900) for offset in range(40)]

    assert await handled(pipeline, half) == []


async def test_other_devices_have_no_row_and_test_data_a_standing_of_its_own(pipeline, bystander):
    test = [replace(record, value=record.value.replace(b'"real"', b'"test"')) for record in bad(0, 20)]

    await handled(pipeline, [*test, *good(20, 5, device="mon-2")])

    rows = await bystander.fetch("SELECT device_id, mode, is_suspect FROM devices")
    assert [tuple(row) for row in rows] == [("mon-1", "test", True)]
    assert await bystander.fetchval("SELECT count(*) FROM outbox WHERE topic = 'alerts_test'") == 1


async def test_another_worker_that_gets_the_good_sets_ends_it(pipeline):
    await handled(pipeline, bad(0, 20))
    other = replace(pipeline, suspects=set())

    await other.know_suspects()
    known = set(other.suspects)
    said = await handled(other, good(20, 3))

    assert (known, other.suspects) == ({KEY}, set())
    assert said == [(Phase.END, Reason.DEVICE_USABLE)]


async def test_a_device_is_forgotten_when_nothing_was_wrong_for_a_while(pipeline, engine):
    await handled(pipeline, bad(0, 1))
    assert pipeline.suspects == {KEY}

    await handled(pipeline, good(1, 25))

    assert pipeline.suspects == set()
    async with unit_of_work(engine) as work:
        assert await work.devices.suspects() == set()


@pytest.mark.parametrize("suspects", [set(), {DeviceKey("mon-9", Mode.REAL)}])
async def test_a_batch_in_which_nothing_is_wrong_tells_of_suspects_alone(suspects):
    records = [*good(1, 2), *good(3, 1, device="mon-9")]
    batch = await read_batch([Run("readings", 0, None, records)], "commands")

    assert [result.device_id for result in results_of(batch, suspects)] == ["mon-9"] * len(suspects)


async def test_what_does_not_say_which_device_sent_it_tells_nothing():
    batch = await read_batch([Run("readings", 0, None, [replace(a_set(1), value=b"{")])], "commands")

    assert results_of(batch, set()) == []


async def test_what_an_operators_replay_brings_back_tells_nothing_of_its_device():
    origin = Origin(Place("readings", 0, 1), datetime(2026, 11, 23, tzinfo=UTC), UUID(int=1))
    back = headers_of_next_round((), origin, UUID(int=2))
    records = [replace(record, headers=back) for record in (*bad(1, 2), *good(3, 2))]
    batch = await read_batch([Run("readings", 0, None, records)], "commands")

    assert results_of(batch, {KEY}) == []
