"""The pipeline on a real database: all that follows from a batch commits with it, once."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from domain.alarms import Kind, Priority
from domain.alerts import Phase, Reason
from domain.observations import Mode
from domain.times import from_ms
from domain.vital_signs import VitalSign
from persistence.chart_cache import ChartKey
from persistence.errors import LostClaimError
from persistence.unit_of_work import unit_of_work
from tests.contract.worker.records import LANES, START_MS, a_batch, a_command, a_set
from worker.observability.labels import CommandName, CommandOutcome

TABLES = ("readings", "commands", "ticks", "alarms", "dead_letters", "outbox")
FAST = 165  # beyond the HIGH heart rate limit of ward-adult; a spot check waits for nothing


async def stored(bystander):
    """How many rows each table holds."""
    return {table: await bystander.fetchval(f"SELECT count(*) FROM {table}") for table in TABLES}


async def test_all_that_follows_from_a_batch_is_committed_with_it(pipeline, bystander):
    batch = await a_batch(
        a_command(0, ward="7B", bed="12"),
        a_set(0, 0, heart_rate=80, spo2=97),
        a_set(1, 10, heart_rate=FAST),
        a_set(2, 20, heart_rate=5000),
    )

    outcome = await pipeline.handle_batch(batch)

    assert (outcome.records, outcome.readings, len(outcome.refused)) == (4, 3, 1)
    assert [str(alert.phase) for alert in outcome.counts.alerts] == ["start"]
    found = await stored(bystander)
    assert found == {"readings": 3, "commands": 1, "ticks": 0, "alarms": 1, "dead_letters": 1, "outbox": 2}
    progress = await bystander.fetch("SELECT topic, partition, next_offset FROM progress ORDER BY topic")
    assert [tuple(row) for row in progress] == [("commands", 0, 1), ("readings", 0, 3)]


async def test_the_lanes_with_something_to_publish_are_named(pipeline):
    outcome = await pipeline.handle_batch(await a_batch(a_set(0, heart_rate=80)))
    assert outcome.lanes == frozenset()

    outcome = await pipeline.handle_batch(await a_batch(a_set(1, 10, heart_rate=FAST)))
    assert len(outcome.lanes) == 1


async def test_a_batch_that_was_handled_before_is_refused_and_changes_nothing(pipeline, bystander):
    batch = await a_batch(a_set(0, heart_rate=FAST))
    await pipeline.handle_batch(batch)
    before = await stored(bystander)

    with pytest.raises(LostClaimError):
        await pipeline.handle_batch(batch)

    assert await stored(bystander) == before


async def test_a_reading_that_a_producer_repeats_changes_nothing(pipeline, bystander):
    await pipeline.handle_batch(await a_batch(a_set(0, heart_rate=FAST, spo2=97)))
    before = await stored(bystander)

    again = await a_batch(replace(a_set(0, heart_rate=FAST, spo2=97), offset=1))
    outcome = await pipeline.handle_batch(again)

    assert (outcome.readings, outcome.counts.duplicates, outcome.counts.alerts) == (0, 2, [])
    assert await stored(bystander) == before


async def test_a_reading_that_comes_twice_in_one_batch_counts_once(pipeline, bystander):
    twice = [a_set(0, heart_rate=FAST), replace(a_set(0, heart_rate=FAST), offset=1)]

    outcome = await pipeline.handle_batch(await a_batch(*twice))

    assert (outcome.readings, outcome.counts.duplicates) == (1, 1)
    assert (await stored(bystander))["readings"] == 1


async def test_of_a_set_that_is_known_in_part_only_the_new_is_taken_in(pipeline):
    await pipeline.handle_batch(await a_batch(a_set(0, heart_rate=80)))

    outcome = await pipeline.handle_batch(await a_batch(a_set(1, heart_rate=80, spo2=97)))

    assert (outcome.readings, outcome.counts.duplicates) == (1, 1)


async def test_another_value_of_the_same_moment_is_stored_and_marked(pipeline, bystander):
    await pipeline.handle_batch(await a_batch(a_set(0, heart_rate=80)))

    await pipeline.handle_batch(await a_batch(a_set(1, heart_rate=90)))

    flags = await bystander.fetch("SELECT value, flags FROM readings ORDER BY value")
    assert [(row["value"], row["flags"]) for row in flags] == [(80.0, None), (90.0, ["conflict"])]


async def test_a_reading_that_was_thought_new_but_is_stored_is_found_out(pipeline, bystander):
    await pipeline.handle_batch(await a_batch(a_set(0, heart_rate=80)))
    await bystander.execute("UPDATE charts SET form = NULL, chart_seq = 0, due_at = NULL")

    outcome = await pipeline.handle_batch(await a_batch(a_set(1, heart_rate=80), a_set(2, 5, heart_rate=81)))

    assert (outcome.readings, outcome.counts.duplicates) == (1, 1)


async def test_a_repeated_command_is_carried_out_once(pipeline, bystander):
    command_id = uuid4()
    await pipeline.handle_batch(await a_batch(a_command(0, command_id=command_id, ward="7B")))

    outcome = await pipeline.handle_batch(await a_batch(a_command(1, command_id=command_id, ward="7B")))

    assert outcome.counts.commands == {(CommandName.ADMIT, CommandOutcome.DUPLICATE): 1}
    assert (await stored(bystander))["commands"] == 1


async def test_each_input_of_a_chart_has_a_number_without_a_gap(pipeline, bystander):
    records = [a_set(number, number * 10, heart_rate=80 + number) for number in range(5)]

    await pipeline.handle_batch(await a_batch(*records, a_command(0, ward="7B")))

    numbers = await bystander.fetch(
        "SELECT chart_seq FROM readings UNION SELECT chart_seq FROM commands ORDER BY chart_seq"
    )
    assert [row["chart_seq"] for row in numbers] == [1, 2, 3, 4, 5, 6]


async def test_batches_of_any_cut_give_the_same_alerts(pipeline, bystander):
    values = [80, FAST, FAST, 80, 80, FAST, 40, 80]

    def records(patient):
        return [a_set(n, n * 60, patient=patient, heart_rate=value) for n, value in enumerate(values)]

    whole = await pipeline.handle_batch(await a_batch(*records("P-A")))
    in_parts = []
    for record in records("P-B"):
        part = await a_batch(replace(record, partition=1))
        in_parts += (await pipeline.handle_batch(part)).counts.alerts

    def told(alerts):
        return [(a.phase, a.reason, a.chart_seq, a.observed_at, a.value) for a in alerts]

    assert told(whole.counts.alerts) == told(in_parts)
    assert whole.counts.alerts


class Failing(Mapping):
    """Limits that a defect of ours is in: looking one sign up fails."""

    def __init__(self, limits, sign):
        self.limits, self.sign = limits, sign

    def __getitem__(self, sign):
        if sign is self.sign:
            raise ZeroDivisionError
        return self.limits[sign]

    def __iter__(self):
        return iter(self.limits)

    def __len__(self):
        return len(self.limits)


async def test_a_defect_of_ours_on_one_message_costs_that_message_only(pipeline, protocol, bystander):
    broken = replace(protocol)
    object.__setattr__(broken, "limits_of", Failing(protocol.limits_of, VitalSign.SPO2))
    batch = await a_batch(a_set(0, heart_rate=80), a_set(1, 10, spo2=91), a_set(2, 20, heart_rate=FAST))

    outcome = await replace(pipeline, protocol=broken).handle_batch(batch)

    assert (outcome.readings, len(batch.items)) == (2, 3)
    (letter,) = await bystander.fetch('SELECT stage, reason, "offset" FROM dead_letters')
    assert tuple(letter) == ("evaluate", "not_evaluated", 1)


async def test_while_messages_cannot_be_evaluated_someone_is_told_once_until_they_can(
    pipeline, protocol, bystander
):
    broken = replace(protocol)
    object.__setattr__(broken, "limits_of", Failing(protocol.limits_of, VitalSign.SPO2))
    failing = [a_set(number, number * 10, spo2=91) for number in range(3)]

    outcome = await replace(pipeline, protocol=broken).handle_batch(await a_batch(*failing))

    (alert,) = outcome.counts.alerts
    assert (alert.phase, alert.reason, alert.kind) == (Phase.START, Reason.NOT_EVALUATED, Kind.TECHNICAL)
    assert (alert.priority, alert.rule_id) == (Priority.MEDIUM, "not-evaluated/mon-1")
    assert len(outcome.refused) == 3
    inputs = await bystander.fetch("SELECT chart_seq, at, kind, device_id FROM ticks")
    assert [tuple(row) for row in inputs] == [(1, from_ms(START_MS), "not_evaluated", "mon-1")]
    assert await bystander.fetchval("SELECT chart_seq FROM charts") == 1
    again = await replace(pipeline, protocol=broken).handle_batch(await a_batch(a_set(3, 30, spo2=91)))
    assert again.counts.alerts == []

    mended = await pipeline.handle_batch(await a_batch(a_set(4, 40, spo2=97)))

    (ended,) = mended.counts.alerts
    assert (ended.phase, ended.reason, ended.episode_id) == (Phase.END, Reason.EVALUATED, alert.episode_id)
    assert await bystander.fetchval("SELECT count(*) FROM alarms WHERE ended_at IS NULL") == 0


async def test_a_tick_that_cannot_be_evaluated_is_told_once_and_stays_due(pipeline, protocol, bystander):
    key = ChartKey("P-1", Mode.TEST)
    monitor = [
        replace(record, value=record.value.replace(b"spot_check", b"continuous"))
        for record in (a_set(n, n * 5, heart_rate=80) for n in range(6))
    ]
    await pipeline.handle_batch(await a_batch(*monitor))
    broken = replace(protocol)
    object.__setattr__(broken, "signals", None)
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)

    first = await replace(pipeline, protocol=broken).handle_ticks([key], noon)
    second = await replace(pipeline, protocol=broken).handle_ticks([key], noon)

    assert [alert.rule_id for alert in first.counts.alerts] == ["not-evaluated"]
    assert (first.ticks, second.ticks, second.counts.alerts) == (0, 0, [])
    mended = await pipeline.handle_ticks([key], noon)
    assert [alert.rule_id for alert in mended.counts.alerts] == ["signal-overdue/mon-1"]


async def test_what_is_rolled_back_leaves_no_trace(pipeline, bystander):
    batch = await a_batch(a_set(0, heart_rate=FAST))
    batch.items *= 1
    await bystander.execute("DELETE FROM lanes")  # the outbox cannot be appended to

    with pytest.raises(Exception, match="lane"):
        await pipeline.handle_batch(batch)

    assert set((await stored(bystander)).values()) == {0}
    assert await bystander.fetchval("SELECT count(*) FROM progress") == 0


async def test_time_passes_only_for_a_chart_that_is_due_under_its_lock(pipeline, bystander):
    key = ChartKey("P-1", Mode.TEST)
    monitor = [
        replace(record, value=record.value.replace(b"spot_check", b"continuous"))
        for record in (a_set(n, n * 5, heart_rate=80) for n in range(6))
    ]
    await pipeline.handle_batch(await a_batch(*monitor))
    due = await bystander.fetchval("SELECT due_at FROM charts")
    assert due is not None

    early = await pipeline.handle_ticks([key], from_ms(START_MS))
    assert (early.ticks, await bystander.fetchval("SELECT count(*) FROM ticks")) == (0, 0)

    on_time = await pipeline.handle_ticks([key], due)
    assert (on_time.ticks, await bystander.fetchval("SELECT count(*) FROM ticks")) == (1, 1)

    again = await pipeline.handle_ticks([key], due)
    assert again.ticks == 0


async def test_a_device_that_falls_silent_is_told_by_a_tick(pipeline):
    key = ChartKey("P-1", Mode.TEST)
    monitor = [
        replace(record, value=record.value.replace(b"spot_check", b"continuous"))
        for record in (a_set(n, n * 5, heart_rate=80) for n in range(6))
    ]
    await pipeline.handle_batch(await a_batch(*monitor))

    outcome = await pipeline.handle_ticks([key], datetime(2026, 11, 23, 11, tzinfo=UTC))

    assert [alert.rule_id.partition("/")[0] for alert in outcome.counts.alerts] == ["signal-overdue"]


async def test_a_chart_keeps_the_lane_it_was_made_with(pipeline, bystander):
    await pipeline.handle_batch(await a_batch(a_set(0, heart_rate=80)))
    lane = await bystander.fetchval("SELECT lane FROM charts")

    more = replace(pipeline, lanes=1)
    outcome = await more.handle_batch(await a_batch(a_set(1, 10, heart_rate=FAST)))

    assert outcome.lanes == {lane}


async def test_alerts_wake_their_lane_and_dead_letters_wait_for_the_next_look(pipeline, bystander):
    nothing = [replace(a_set(0, partition=lane), value=b"not json") for lane in range(LANES)]
    quiet = await pipeline.handle_batch(await a_batch(*nothing))
    loud = await pipeline.handle_batch(await a_batch(a_set(1, heart_rate=FAST)))
    lane = await bystander.fetchval("SELECT lane FROM charts")

    assert (quiet.lanes, loud.lanes) == (frozenset(), {lane})


async def test_a_dead_letter_without_a_patient_is_in_the_lane_of_its_partition(pipeline, engine):
    nothing = replace(a_set(0, partition=1), value=b"not json", key=None)

    await pipeline.handle_batch(await a_batch(nothing))

    async with unit_of_work(engine) as work:
        (row,) = await work.outbox.beyond(1, 0, 10)
    assert (row.record.topic, row.record.value) == ("dead_letters", b"not json")
