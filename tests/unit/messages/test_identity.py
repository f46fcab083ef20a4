from dataclasses import replace
from uuid import UUID

import pytest

from tests.unit.messages.records import a_reading, a_record, a_set
from worker.messages import decode_reading_record

MODEL = {
    "mode": "test",
    "patient_id": "P-0042",
    "device_id": "mon-7b-12",
    "observed_at": "2026-11-23T10:15:00.000001Z",
}
READING = a_reading("body_temperature", 38.1, "Cel", site="oral", device="d", validity="questionable")


def the_id(reading, **more):
    observation = decode_reading_record(a_record(a_set(reading, **(MODEL | more)))).observation
    return observation.readings[0].reading_id


def test_a_reading_id_does_not_change_between_releases():
    """Readings are stored under it: another id for the same content would store them twice."""
    assert the_id(READING) == UUID("085b2cf2-37c0-487f-37fd-9e1723c4f16d")


@pytest.mark.parametrize(
    "more",
    [
        {"mode": "demo"},
        {"patient_id": "P-0043"},
        {"device_id": "mon-7b-13"},
        {"observed_at": "2026-11-23T10:15:00.000002Z"},
    ],
)
def test_another_envelope_makes_another_id(more):
    assert the_id(READING, **more) != the_id(READING)


@pytest.mark.parametrize(
    "more",
    [
        {"value": 38.2},
        {"site": "axillary"},
        {"site": None},
        {"device": "e"},
        {"validity": "valid"},
        {"validity": "invalid"},
    ],
)
def test_another_content_makes_another_id(more):
    assert the_id(READING | more) != the_id(READING)


def test_another_vital_sign_makes_another_id():
    assert the_id(a_reading("pulse", 80)) != the_id(a_reading("heart_rate", 80))


@pytest.mark.parametrize(
    "more",
    [
        {"message_id": "m-2"},
        {"acquisition": "continuous"},
        {"observed_at": "2026-11-23T11:15:00.000001+01:00"},
        {"later": 1},
    ],
)
def test_what_is_not_content_leaves_the_id(more):
    assert the_id(READING, **more) == the_id(READING)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (a_reading("body_temperature", 37, "Cel"), a_reading("body_temperature", 98.6, "[degF]")),
        (a_reading("heart_rate", 80), a_reading("heart_rate", 80.0, "{beats}/min")),
        (a_reading("heart_rate", 0), a_reading("heart_rate", -0.0)),
        (a_reading("heart_rate", -0.0, validity="invalid"), a_reading("heart_rate", 0, validity="invalid")),
        (a_reading("heart_rate", 80, site=""), a_reading("heart_rate", 80)),
        (a_reading("oxygen_therapy", "air", None), a_reading("oxygen_therapy", 0, "L/min")),
    ],
)
def test_the_same_content_told_in_two_ways_has_one_id(one, other):
    assert the_id(one) == the_id(other)


def test_a_redelivered_record_gives_the_same_observation():
    record = a_record(a_set())

    assert decode_reading_record(record) == decode_reading_record(replace(record))
