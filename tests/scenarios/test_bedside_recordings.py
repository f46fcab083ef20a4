"""Two real patients' bedside monitors through the shipped protocol: who needs someone is called, and rarely else.

The recordings are not part of the project: VIGIL_RECORDINGS_DIR names the folder that holds `bedside/`, or it
stands beside the project as `shared/data`. Where they are not, this is skipped.
"""

import csv
import os
from pathlib import Path

import pytest

from domain.alarms import AlarmState, Kind, Priority
from domain.alerts import Phase
from domain.evaluation import evaluate
from domain.vital_signs import VitalSign, is_absent, is_possible
from tests.builders import Bedside, a_reading, a_set, seconds_of, shipped

BESIDE = Path(__file__).parents[3] / "shared" / "data"
FOLDER = Path(os.environ.get("VIGIL_RECORDINGS_DIR", BESIDE)) / "bedside"
COLUMNS = {
    "HR": ("heart_rate", None),
    "PULSE": ("pulse", None),
    "RESP": ("respiratory_rate", None),
    "SpO2": ("spo2", None),
    **{
        f"NBP{name}": (sign, "cuff")
        for name, sign in (("Sys", "systolic_pressure"), ("Mean", "mean_pressure"))
    },
    **{
        f"ABP{name}": (sign, "arterial")
        for name, sign in (("Sys", "systolic_pressure"), ("Mean", "mean_pressure"))
    },
    "NBPDias": ("diastolic_pressure", "cuff"),
    "ABPDias": ("diastolic_pressure", "arterial"),
}
# What the two of them may cost a ward, and the extremes of the second: minute, rule that covers it
MOST_LIMIT_ALARMS, MOST_ALL_ABSENT, MOST_TECHNICAL = 6, 4, 15
EXTREMES = [
    (32, "systolic-pressure-low"), (33, "systolic-pressure-low"), (40, "spo2-low"), (41, "spo2-low"),
    (45, "spo2-low"), (51, "systolic-pressure-low"), (55, "systolic-pressure-low"), (56, "spo2-low"),
    (57, "spo2-low"), (65, "all-signals-absent/monitor"), (66, "all-signals-absent/monitor"),
]  # fmt: skip


class Recording:
    """A night of one patient: what was said, and which alarms stood at each minute."""

    def __init__(self, name: str) -> None:
        self.bedside = Bedside(shipped(), patient_id=name)
        self.standing: dict[int, dict[str, tuple[AlarmState, Priority]]] = {}
        rows = list(csv.DictReader((FOLDER / f"{name}.csv").read_text().splitlines()))[1:]
        for row in rows:
            self._take(int(row["minute"]), row)

    def _take(self, minute: int, row: dict[str, str]) -> None:
        readings = [
            a_reading(VitalSign(sign), float(row[column]), site=site, key=(minute, column))
            for column, (sign, site) in COLUMNS.items()
            if row.get(column) and _is_wanted(VitalSign(sign), float(row[column]))
        ]
        if readings:
            self.bedside.take(a_set(minute * 60, readings, replayed=True))
        self.standing[minute] = self.bedside.open

    def starts(self, kind: Kind) -> list[tuple[int, str]]:
        return [
            (int(seconds_of(alert.determined_at)) // 60, alert.rule_id)
            for alert in self.bedside.alerts
            if alert.phase is Phase.START and alert.kind is kind
        ]


def _is_wanted(sign: VitalSign, value: float) -> bool:
    return is_absent(sign, value) or is_possible(sign, value)


@pytest.fixture(scope="module")
def recordings() -> dict[str, Recording]:
    if not FOLDER.is_dir():
        pytest.skip("needs the bedside recordings: VIGIL_RECORDINGS_DIR names the folder that holds bedside/")
    return {name: Recording(name) for name in ("patient-a", "patient-b")}


def all_absent(recording):
    return [start for start in recording.starts(Kind.TECHNICAL) if start[1].startswith("all-signals-absent")]


def test_a_long_night_costs_at_most_six_limit_alarms(recordings):
    starts = recordings["patient-a"].starts(Kind.PHYSIOLOGICAL)

    assert len(starts) <= MOST_LIMIT_ALARMS
    assert any(rule == "respiratory-rate-low" for _, rule in starts)


def test_the_spells_without_any_signal_are_at_most_four_alarms(recordings):
    assert 1 <= len(all_absent(recordings["patient-a"])) <= MOST_ALL_ABSENT


def test_both_nights_cost_at_most_fifteen_technical_alarms(recordings):
    starts = [start for recording in recordings.values() for start in recording.starts(Kind.TECHNICAL)]

    assert len(starts) <= MOST_TECHNICAL


@pytest.mark.parametrize(("minute", "rule"), EXTREMES)
def test_an_alarm_covers_each_extreme_at_its_first_extreme_value(recordings, minute, rule):
    state, priority = recordings["patient-b"].standing[minute][rule]

    assert (state, priority) == (AlarmState.ACTIVE, Priority.HIGH)


@pytest.mark.parametrize("name", ["patient-a", "patient-b"])
def test_no_limit_alarm_comes_of_a_zero(recordings, name):
    limit_alerts = [alert for alert in recordings[name].bedside.alerts if alert.vital_sign]

    assert limit_alerts
    assert all(alert.value for alert in limit_alerts)


@pytest.mark.parametrize("name", ["patient-a", "patient-b"])
def test_the_same_recording_says_the_same_again(recordings, name):
    assert Recording(name).bedside.alerts == recordings[name].bedside.alerts


@pytest.mark.parametrize("name", ["patient-a", "patient-b"])
def test_an_evaluation_of_a_recordings_last_chart_changes_none_of_it(recordings, name):
    bedside = recordings[name].bedside
    alarms = dict(bedside.chart.alarms)

    evaluate(bedside.chart, a_set(10**7, spo2=97), bedside.protocol)

    assert bedside.chart.alarms == alarms
