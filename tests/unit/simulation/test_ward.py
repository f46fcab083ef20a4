"""The simulated ward: repeatable, believable, and never a quiet demonstration."""

from collections import defaultdict
from itertools import pairwise, takewhile
from pathlib import Path

import orjson
import pytest

from domain.observations import Mode
from domain.vital_signs import VitalSign, is_possible
from worker.errors import OperatorError
from worker.feed.progress import Progress
from worker.feed.records import Inlet, headers_of, value_of
from worker.messages import decode_command_record, decode_reading_record
from worker.settings import Settings
from worker.simulation.running import Simulation, simulate_into
from worker.simulation.ward import WardPlan, patient_of, simulated

START_MS = 1_767_225_600_000


def a_plan(**changes):
    return WardPlan(**({"ward": "7B", "beds": 12, "seed": 1, "start_ms": START_MS} | changes))


def records(plan, seconds=40):
    return list(takewhile(lambda record: record.due_ms < plan.start_ms + seconds * 1000, simulated(plan)))


def streamed(told, sign):
    """Every patient's streamed values of one sign in order."""
    values = defaultdict(list)
    for record in told:
        if record.body.get("acquisition") == "continuous":
            for reading in record.readings:
                if reading["vital_sign"] == sign:
                    values[record.patient_id].append(reading["value"])
    return values


class Logged:
    """A record as the log would hand it over."""

    def __init__(self, record):
        self.topic, self.partition, self.offset, self.timestamp = "in", 0, 0, record.due_ms
        self.key, self.value, self.headers = record.patient_id.encode(), value_of(record), headers_of(record)


def test_the_same_seed_says_the_same_and_another_seed_something_else():
    assert records(a_plan()) == records(a_plan())
    assert records(a_plan()) != records(a_plan(seed=2))


def test_another_start_gives_other_message_ids():
    ids = {record.body.get("message_id") for record in records(a_plan())}
    later = {record.body.get("message_id") for record in records(a_plan(start_ms=START_MS + 1))}

    assert ids & later == {None}  # commands have none


def test_every_bed_is_admitted_before_anything_else_is_said():
    plan = a_plan(beds=5)

    told = records(plan)

    assert [record.inlet for record in told[:5]] == [Inlet.COMMANDS] * 5
    assert {record.patient_id for record in told[:5]} == {patient_of(plan, bed) for bed in range(5)}
    assert all(record.inlet is Inlet.READINGS for record in told[5:])


def test_records_come_in_the_order_of_time():
    assert all(one.due_ms <= other.due_ms for one, other in pairwise(records(a_plan())))


def test_the_worker_understands_every_record_and_refuses_only_the_planted_nonsense():
    told = records(a_plan(), seconds=120)

    refused = [
        refusal for record in told if record.inlet is Inlet.READINGS
        for refusal in decode_reading_record(Logged(record)).refusals
    ]  # fmt: skip

    assert {refusal.reason.value for refusal in refused} == {"impossible_value"}
    assert len(refused) < len(told) / 100
    assert all(decode_command_record(Logged(record)).ward == "7B" for record in told[:12])


@pytest.mark.parametrize("seed", range(1, 9))
def test_the_first_half_minute_holds_what_calls_at_every_priority(seed):
    told = records(a_plan(seed=seed), seconds=30)

    saturations = streamed(told, "spo2").values()
    assert any(0 < value < 80 for values in saturations for value in values)  # high at once
    assert any(
        all(value > 24 for value in values[at : at + 16])
        for values in streamed(told, "respiratory_rate").values()
        for at in range(max(len(values) - 15, 0))
    )  # medium once it has held for fifteen seconds
    assert any(values[at : at + 21] == [0] * 21 for values in saturations for at in range(len(values) - 20))


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_ward_without_deteriorations_is_within_its_limits_but_for_artefacts(seed):
    told = records(a_plan(seed=seed, deteriorations=0), seconds=600)

    pressures = streamed(told, "systolic_pressure").values()
    rates = streamed(told, "respiratory_rate").values()
    assert all(91 <= value <= 219 for values in pressures for value in values)
    assert all(value == 0 or 9 <= value <= 24 for values in rates for value in values)
    dips = [value for values in streamed(told, "spo2").values() for value in values if value < 92]
    assert len(dips) < 0.1 * sum(len(values) for values in streamed(told, "spo2").values())


def test_values_are_as_fine_as_devices_show_them():
    for record in records(a_plan()):
        for reading in record.readings:
            if isinstance(reading["value"], float):
                digits = 1 if reading["vital_sign"] == "body_temperature" else 0
                assert round(reading["value"], digits) == reading["value"]


def test_signs_move_together_in_sepsis_and_confusion_is_noted_on_the_round():
    told = records(a_plan(beds=40), seconds=90)

    confused = {
        record.patient_id for record in told for reading in record.readings
        if reading["vital_sign"] == "consciousness" and reading["value"] in "CV"
    }  # fmt: skip

    assert confused
    for patient in confused:
        assert any(
            max(streamed(told, sign)[patient]) > 118 or min(streamed(told, sign)[patient]) < 40
            for sign in ("heart_rate",)
        )


def test_rate_sets_how_often_the_whole_ward_sends():
    slow = Simulation(start_ms=START_MS, beds=10, rate=2.0)

    assert slow.plan.interval_s == 5.0


def test_only_a_sped_up_ward_carries_its_received_time():
    live = records(Simulation(start_ms=START_MS).plan, seconds=2)
    sped_up = records(Simulation(start_ms=START_MS, speed_up=10).plan, seconds=2)

    assert all(record.received_ms is None for record in live)
    assert all(record.received_ms == record.due_ms for record in sped_up)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"mode": Mode.REAL}, "demo or test"),
        ({"beds": 0}, "at least one bed"),
        ({"speed_up": 0}, "more than 0"),
        ({"rate": -1}, "more than 0"),
        ({"seconds": float("inf")}, "more than 0"),
    ],
)
def test_what_no_ward_can_be_is_refused(wrong, told):
    with pytest.raises(OperatorError, match=told):
        Simulation(start_ms=START_MS, **wrong)


def test_a_file_holds_what_would_be_sent_in_the_given_seconds(tmp_path: Path):
    simulation = Simulation(start_ms=START_MS, beds=3, seconds=5, speed_up=2)

    with Progress("test") as progress:
        tally = simulate_into(tmp_path / "out.jsonl", simulation, Settings(), progress)

    lines = [orjson.loads(line) for line in (tmp_path / "out.jsonl").read_bytes().splitlines()]
    assert len(lines) == tally.sets + tally.commands
    assert max(line["value"].get("observed_at", "") for line in lines) < "2026-01-01T00:00:10"
    assert len({line["key"] for line in lines}) == 3


def test_a_file_without_an_end_is_refused(tmp_path: Path):
    with Progress("test") as progress, pytest.raises(OperatorError, match="must end"):
        simulate_into(tmp_path / "out.jsonl", Simulation(start_ms=START_MS), Settings(), progress)


def test_a_spike_or_a_dip_is_a_value_that_someone_could_have():
    told = records(a_plan(beds=30, deteriorations=0), seconds=300)

    for sign in (VitalSign.HEART_RATE, VitalSign.SPO2):
        odd = [
            value
            for values in streamed(told, sign).values()
            for value in values
            if not is_possible(sign, value)
        ]
        assert set(odd) <= {0.0, 127.0}
