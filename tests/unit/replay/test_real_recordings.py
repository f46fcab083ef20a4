"""The published recordings, where they are at hand: every value of them is sent, not mapped, or a description."""

import os
from collections import Counter
from pathlib import Path

import pytest

from worker.replay.playback import Playback, replayed
from worker.replay.running import recordings_from

ROOT = Path(__file__).parents[3]
FOLDER = Path(os.environ.get("VIGIL_RECORDINGS_DIR", ROOT.parent / "shared" / "data"))
DESCRIPTIONS = {"RecordID", "Age", "Gender", "ICUType"}


@pytest.fixture(scope="module")
def recordings():
    files = sorted([*(FOLDER / "bedside").glob("*.csv"), *(FOLDER / "icu").glob("*.txt")])
    if not files:
        pytest.skip("no recordings: set VIGIL_RECORDINGS_DIR to a folder with bedside/ and icu/")
    return recordings_from(files, None)


def cells():
    """Every value in the files that is a reading, counted without the code under test."""
    counted = Counter()
    for path in (FOLDER / "bedside").glob("*.csv"):
        names, _, *rows = [line.split(",") for line in path.read_text().splitlines()]
        counted.update(name for row in rows for name, cell in zip(names[1:], row[1:], strict=True) if cell)
    for path in (FOLDER / "icu").glob("*.txt"):
        for line in path.read_text().splitlines()[1:]:
            _, parameter, value = line.split(",")
            unrecorded = parameter in {"Weight", "Height"} and float(value) == -1
            if parameter not in DESCRIPTIONS and not unrecorded:
                counted[parameter] += 1
                counted["derived"] += parameter == "GCS" and value in {"14", "15"}
    return counted


def test_no_value_of_the_recordings_is_lost_or_made_up(recordings):
    told = list(replayed(recordings, Playback(start_ms=0)))

    sent = sum(len(record.readings) for record in told)
    not_mapped = sum((recording.not_mapped for recording in recordings), Counter())
    assert sent + not_mapped.total() == cells().total()
    assert {"Lactate", "FiO2", "WBC", "Urine"} <= set(not_mapped)
    assert not {"HR", "Temp", "SpO2"} & set(not_mapped)
