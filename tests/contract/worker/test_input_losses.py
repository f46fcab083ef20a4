"""What was deleted from the log before it was read, on a real database: told once, to the wards it came from."""

import asyncio
from datetime import timedelta
from functools import partial

import pytest

from domain.alarms import Priority
from domain.alerts import Phase, Reason
from domain.times import from_ms
from persistence.errors import LostClaimError
from tests.contract.worker.records import LANES, START_MS, a_batch, a_command, a_set
from worker.input_losses import Loss, pass_over, until_of
from worker.lanes import lane_of
from worker.timers import Sight, Timers

START = from_ms(START_MS)
FOUND_AT = START + timedelta(minutes=20)
LANE = lane_of("P-1", LANES)


def a_loss(**changes):
    loss = {
        "topic": "readings", "partition": LANE, "stored": 1, "beginning": 41,
        "until": START + timedelta(minutes=12), "found_at": FOUND_AT,
    }  # fmt: skip
    return Loss(**(loss | changes))


@pytest.fixture
async def on_a_ward(pipeline):
    """A patient on ward 7B, heard of once, a minute after the start."""
    admitted = a_command(0, ward="7B", bed="12", mode="real")
    await pipeline.handle_batch(await a_batch(admitted, a_set(0, 60, mode="real", partition=LANE)))


def tell(pipeline, *losses):
    return pipeline.tell_wards(partial(pass_over, losses=losses, lanes=LANES))


async def next_offset(bystander):
    return await bystander.fetchval("SELECT next_offset FROM progress WHERE topic = 'readings'")


async def test_the_ward_is_told_what_is_missing_and_work_goes_on_behind_it(pipeline, on_a_ward, bystander):
    outcome = await tell(pipeline, a_loss())

    (alert,) = outcome.counts.alerts
    assert (alert.phase, alert.reason, alert.priority) == (Phase.START, Reason.INPUT_LOST, Priority.MEDIUM)
    assert (alert.ward, alert.onset_at) == ("7B", START + timedelta(minutes=1))
    assert "from 10:01 to 10:12 UTC were lost" in alert.title
    assert await next_offset(bystander) == 41
    assert await bystander.fetchval("SELECT ward FROM alarms WHERE ended_at IS NULL") == "7B"
    assert outcome.lanes == {lane_of("7B", LANES)}


async def test_it_is_told_once_whoever_finds_it_too(pipeline, on_a_ward, bystander):
    await tell(pipeline, a_loss())

    with pytest.raises(LostClaimError):
        await tell(pipeline, a_loss())

    assert await bystander.fetchval("SELECT count(*) FROM outbox") == 2  # the alert, and its alarm's state


async def test_without_any_ward_the_patients_on_none_are_told_about(pipeline, bystander):
    await pipeline.handle_batch(await a_batch(a_set(0, mode="real", partition=LANE)))

    outcome = await tell(pipeline, a_loss())

    (alert,) = outcome.counts.alerts
    assert (alert.ward, alert.title.split(":")[0]) == (None, "Patients on no ward")
    assert await bystander.fetchval("SELECT ward FROM alarms") == ""
    key, headers = await bystander.fetchrow("SELECT key, headers::text FROM outbox WHERE topic = 'alerts'")
    assert (key, '"no-ward"' in headers) == (b"no-ward", True)


async def test_the_alarm_ends_by_itself_after_an_hour(pipeline, on_a_ward, metrics, bystander):
    await tell(pipeline, a_loss())
    now_ms = [START_MS + 79 * 60_000]
    timers = Timers(
        pipeline=pipeline, metrics=metrics, turn=asyncio.Lock(), lanes=lambda: range(LANES), wake=lambda lanes: None,
        sights=lambda: [Sight(caught_up_ms=now_ms[0], received_ms=None)],
    )  # fmt: skip
    standing = "SELECT count(*) FROM alarms WHERE rule_id = 'input-lost' AND ended_at IS NULL"

    await timers.timers_pass()
    assert await bystander.fetchval(standing) == 1

    now_ms[0] += 61_000
    await timers.timers_pass()
    assert await bystander.fetchval(standing) == 0


def test_until_when_it_was_lost():
    assert until_of(START_MS, FOUND_AT) == START
    assert until_of(None, FOUND_AT) == FOUND_AT
    assert until_of(-1, FOUND_AT) == FOUND_AT
    assert until_of(START_MS + 3_600_000, FOUND_AT) == FOUND_AT
