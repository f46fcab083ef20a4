"""The records that simulator and replay put on the input topics."""

import orjson

from domain.observations import Acquisition, Mode
from domain.vital_signs import VitalSign
from worker.feed.records import (
    Inlet,
    Value,
    admission,
    headers_of,
    identifier,
    json_line,
    observation,
    value_of,
)
from worker.feed.tally import Tally
from worker.messages import decode_command_record, decode_reading_record
from worker.topics import TopicNames

AT_MS = 1_767_225_600_000


class Logged:
    """A record as the log would hand it over."""

    def __init__(self, record):
        self.topic, self.partition, self.offset, self.timestamp = "in", 0, 0, AT_MS
        self.key, self.value, self.headers = record.patient_id.encode(), value_of(record), headers_of(record)


def an_observation(**changes):
    values = [
        Value(vital_sign=VitalSign.SPO2, value=97.0, unit="%"),
        Value(vital_sign=VitalSign.CONSCIOUSNESS, value="A"),
        Value(vital_sign=VitalSign.OXYGEN_THERAPY, value=2, unit="L/min", device="nasal_cannula"),
    ]
    told = {
        "message_id": "m", "patient_id": "p", "device_id": "d", "observed_ms": AT_MS,
        "acquisition": Acquisition.CONTINUOUS, "mode": Mode.DEMO, "values": values,
    }  # fmt: skip
    return observation(**(told | changes))


def test_an_observation_is_understood_by_the_worker():
    decoded = decode_reading_record(Logged(an_observation()))

    assert decoded.refusals == ()
    assert [reading.vital_sign for reading in decoded.observation.readings] == [
        "spo2",
        "consciousness",
        "oxygen_therapy",
    ]


def test_the_received_time_travels_in_a_header_only_when_it_is_given():
    live, replayed = an_observation(), an_observation(received_ms=AT_MS - 5_000)

    assert decode_reading_record(Logged(live)).observation.is_replayed is False
    assert decode_reading_record(Logged(replayed)).observation.is_replayed is True
    assert decode_reading_record(Logged(replayed)).observation.received_at.timestamp() * 1000 == AT_MS - 5_000


def test_an_admission_is_understood_by_the_worker():
    record = admission(
        patient_id="p", ward="7B", bed="12", mode=Mode.DEMO, issued_ms=AT_MS, birth_date="1960-02-29"
    )

    command = decode_command_record(Logged(record))

    assert (command.ward, command.bed, command.birth_date.year) == ("7B", "12", 1960)


def test_the_same_parts_make_the_same_id_and_others_another():
    assert identifier("a", 1) == identifier("a", 1)
    assert identifier("a", 1) != identifier("a", 2)


def test_a_line_of_json_holds_the_whole_record():
    line = orjson.loads(json_line(an_observation(received_ms=AT_MS), TopicNames("x.")))

    assert line["topic"] == "x.vitals.readings.v1"
    assert line["key"] == "p"
    assert line["headers"] == {"vigil-received-at": "2026-01-01T00:00:00.000Z"}
    assert line["value"]["patient_id"] == "p"


def test_a_tally_counts_sets_readings_by_sign_and_commands():
    tally = Tally()

    tally.count(an_observation())
    tally.count(an_observation())
    tally.count(admission(patient_id="p", ward="w", bed="1", mode=Mode.DEMO, issued_ms=AT_MS))

    assert (tally.sets, tally.commands, tally.readings_sent) == (2, 1, 6)
    assert tally.readings["spo2"] == 2
    assert an_observation().inlet is Inlet.READINGS
