"""From recordings to records: nothing lost, nothing made up, the same every time."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from domain.observations import Mode
from worker.feed.records import Inlet, headers_of, value_of
from worker.messages import decode_reading_record
from worker.replay.errors import RecordingError, ReplayError
from worker.replay.playback import Playback, patient_of, replayed
from worker.replay.running import recordings_from

ROOT = Path(__file__).parents[3]
MADE_UP = sorted((ROOT / "tests/recordings").glob("*/*[!d]"))
START_MS = 1_767_225_600_000


def made_up():
    return recordings_from(MADE_UP, None)


def a_playback(**changes):
    return Playback(**({"start_ms": START_MS} | changes))


class Logged:
    """A record as the log would hand it over."""

    def __init__(self, record):
        self.topic, self.partition, self.offset, self.timestamp = "in", 0, 0, START_MS + 10**9
        self.key, self.value, self.headers = record.patient_id.encode(), value_of(record), headers_of(record)


def test_the_patient_is_named_after_the_file():
    assert {patient_of(recording) for recording in made_up()} == {
        "bedside-made-up-a", "bedside-made-up-b", "icu-900001", "icu-900002",
    }  # fmt: skip


def test_the_same_files_give_the_same_records_with_ids_of_their_own():
    told = list(replayed(made_up(), a_playback()))

    assert told == list(replayed(made_up(), a_playback()))
    assert len({record.body["message_id"] for record in told}) == len(told)


def test_all_records_come_in_the_order_of_time_and_were_received_when_observed():
    told = list(replayed(made_up(), a_playback()))

    assert all(one.due_ms <= other.due_ms for one, other in pairwise(told))
    for record in told:
        observation = decode_reading_record(Logged(record)).observation
        assert observation is None or (
            observation.is_replayed and observation.received_at == observation.observed_at
        )


def test_monitors_stream_and_charts_are_spot_checks():
    told = {(record.patient_id, record.body["acquisition"]) for record in replayed(made_up(), a_playback())}

    assert told == {
        ("bedside-made-up-a", "continuous"), ("bedside-made-up-b", "continuous"),
        ("icu-900001", "spot_check"), ("icu-900002", "spot_check"),
    }  # fmt: skip


def test_every_reading_is_decoded_or_refused():
    told = list(replayed(made_up(), a_playback()))

    sent = Counter(reading["vital_sign"] for record in told for reading in record.readings)
    decoded = [decode_reading_record(Logged(record)) for record in told]

    kept = sum(len(each.observation.readings) for each in decoded if each.observation)
    refused = [refusal.reason.value for each in decoded for refusal in each.refusals]
    assert sent.total() == kept + len(refused)
    assert refused == ["impossible_value", "impossible_value"]  # a pulse of 310, a temperature of -17.8


def test_admissions_come_first_and_each_patient_has_a_bed():
    told = list(replayed(made_up(), a_playback(ward="9C", bed_prefix="B")))

    admissions = [record for record in told if record.inlet is Inlet.COMMANDS]
    assert told[: len(admissions)] == admissions
    assert [record.body["bed"] for record in admissions] == ["B01", "B02", "B03", "B04"]
    assert {record.body["ward"] for record in admissions} == {"9C"}


def test_two_files_of_one_name_are_refused_since_they_would_be_one_patient(tmp_path):
    (tmp_path / "900001.txt").write_bytes((ROOT / "tests/recordings/icu/900001.txt").read_bytes())

    with pytest.raises(ReplayError, match="one patient"):
        list(replayed(recordings_from([*MADE_UP, tmp_path / "900001.txt"], None), a_playback()))


def test_a_recording_is_never_real():
    with pytest.raises(ReplayError, match="demo or test"):
        a_playback(mode=Mode.REAL)


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (b"Time,Parameter,Value\n00:00,HR,\xff\n", "line 2: a recording is text in UTF-8"),
        (b"what,is,this\n", "line 1: the first row must be"),
    ],
)
def test_a_bad_file_stops_everything_before_anything_is_sent(tmp_path, content, wrong):
    (tmp_path / "bad.txt").write_bytes(content)

    with pytest.raises(RecordingError, match=wrong):
        recordings_from([*MADE_UP, tmp_path / "bad.txt"], None)


def test_a_missing_file_is_told_as_such(tmp_path):
    with pytest.raises(ReplayError, match="cannot be read: No such file"):
        recordings_from([tmp_path / "none.csv"], None)
