"""Two real patients of a bedside monitor under the shipped protocol: who is called for, and how seldom for nothing.

The recordings are published ones and not part of this project; without them these tests are skipped.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from domain.alarms import Kind
from domain.alerts import Alert, Phase
from domain.chart import Chart
from domain.evaluation import evaluate
from domain.observations import Mode
from worker.feed.records import FeedRecord, headers_of, key_of, value_of
from worker.messages import decode_reading_record
from worker.protocols import load_protocol
from worker.replay.playback import Playback, replayed
from worker.replay.running import recordings_from

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("VIGIL_RECORDINGS_DIR", ROOT.parent / "shared" / "data")) / "bedside"
MINUTE = 60


class Logged:
    """A record as the log has it."""

    def __init__(self, record: FeedRecord) -> None:
        self.topic, self.partition, self.offset, self.timestamp = "readings", 0, 0, 0
        self.key, self.value, self.headers = key_of(record), value_of(record), headers_of(record)


@dataclass(frozen=True)
class Stay:
    """What was said of one patient, and which alarms stood after each minute."""

    alerts: tuple[Alert, ...]
    standing: dict[int, frozenset[str]]

    def starts(self, kind: Kind) -> list[Alert]:
        return [alert for alert in self.alerts if alert.phase is Phase.START and alert.kind is kind]

    def is_covered(self, minute: int, rule: str) -> bool:
        return any(standing.startswith(rule) for standing in self.standing[minute])


def stay(name: str) -> Stay:
    path = FOLDER / f"{name}.csv"
    if not path.exists():
        pytest.skip("no recordings: set VIGIL_RECORDINGS_DIR to a folder with bedside/ and icu/")
    protocol = load_protocol("ward-adult")
    chart = Chart(patient_id=f"bedside-{name}", mode=Mode.DEMO, lane=0)
    alerts: list[Alert] = []
    standing: dict[int, frozenset[str]] = {}
    for record in replayed(recordings_from([path], None), Playback(start_ms=0)):
        observation = decode_reading_record(Logged(record)).observation
        assert observation is not None
        evaluation = evaluate(chart, observation, protocol)
        chart = evaluation.chart
        alerts += evaluation.alerts
        standing[record.due_ms // 1000 // MINUTE] = frozenset(
            rule for rule, alarm in chart.alarms.items() if alarm.started_ms is not None
        )
    return Stay(tuple(alerts), standing)


@pytest.fixture(scope="module")
def patient_a() -> Stay:
    return stay("patient-a")


@pytest.fixture(scope="module")
def patient_b() -> Stay:
    return stay("patient-b")


@pytest.mark.parametrize(
    ("minute", "rule"),
    [
        pytest.param(32, "systolic-pressure-low", id="systolic 66, then 45"),
        pytest.param(33, "systolic-pressure-low", id="systolic 45"),
        pytest.param(40, "spo2-low", id="saturation 71, then down to 43"),
        pytest.param(41, "spo2-low", id="saturation 43"),
        pytest.param(51, "systolic-pressure-low", id="systolic 77"),
        pytest.param(55, "systolic-pressure-low", id="systolic 40"),
        pytest.param(56, "spo2-low", id="saturation 65, then 42"),
        pytest.param(57, "spo2-low", id="saturation 42"),
        pytest.param(65, "all-signals-absent", id="all signals lost"),
    ],
)
def test_a_patient_in_extremis_is_called_for_at_the_first_extreme_value(patient_b, minute, rule):
    assert patient_b.is_covered(minute, rule)


@pytest.mark.parametrize("minute", [74, 295, 588, 1755])
def test_breathing_that_is_truly_too_slow_is_called_for_by_the_next_value(patient_a, minute):
    assert patient_a.is_covered(minute + 1, "respiratory-rate-low")


def test_a_stable_patient_is_called_for_at_most_six_times_in_a_day_and_a_half(patient_a):
    assert len(patient_a.starts(Kind.PHYSIOLOGICAL)) <= 6


def test_the_spells_without_any_signal_are_at_most_four_alarms(patient_a):
    absent = [a for a in patient_a.starts(Kind.TECHNICAL) if a.rule_id.startswith("all-signals-absent")]

    assert 1 <= len(absent) <= 4


def test_both_patients_together_have_at_most_fifteen_technical_alarms(patient_a, patient_b):
    assert len(patient_a.starts(Kind.TECHNICAL)) + len(patient_b.starts(Kind.TECHNICAL)) <= 15


def test_a_zero_from_a_probe_that_is_off_never_is_a_value_beyond_a_limit(patient_a, patient_b):
    told = [
        alert for each in (patient_a, patient_b) for alert in each.alerts if alert.kind is Kind.PHYSIOLOGICAL
    ]

    assert told
    assert not [alert for alert in told if alert.value == 0]
