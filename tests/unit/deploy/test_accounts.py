"""The independent reading of what a message says, which the account of all readings rests on."""

import json

import pytest

from deploy.local.contents import readings_in
from deploy.local.listening import line


def a_message(*readings, **changes):
    message = {
        "patient_id": "p", "device_id": "d", "observed_at": "2026-01-01T00:00:00Z", "mode": "demo",
        "readings": list(readings),
    }  # fmt: skip
    return json.dumps(message | changes).encode()


@pytest.mark.parametrize(
    ("reading", "value"),
    [
        ({"vital_sign": "spo2", "value": 97.0, "unit": "%"}, "97"),
        ({"vital_sign": "mean_pressure", "value": 65.33, "unit": "mm[Hg]"}, "65.33"),
        ({"vital_sign": "body_temperature", "value": 102.3, "unit": "[degF]"}, "39.1"),
        ({"vital_sign": "body_temperature", "value": 0, "unit": "[degF]"}, "0"),
        ({"vital_sign": "consciousness", "value": "V"}, "2"),
        ({"vital_sign": "oxygen_therapy", "value": "air"}, "0"),
        ({"vital_sign": "spo2", "value": None}, ""),
    ],
)
def test_a_reading_is_compared_as_the_database_must_hold_it(reading, value):
    (content,) = readings_in(a_message(reading))

    assert content.value == value
    assert content.observed_ms == 1_767_225_600_000


def test_another_site_or_device_is_another_reading_and_a_missing_mode_is_real():
    one = {"vital_sign": "spo2", "value": 97.0, "unit": "%"}

    contents = {
        *readings_in(a_message(one, {**one, "site": "finger"})),
        *readings_in(a_message(one, device_id="e")),
        *readings_in(a_message(one, mode="real")),
    }

    assert len(contents) == 4


def test_an_alert_fits_on_a_plain_line():
    alert = {
        "determined_at": "2026-01-01T10:20:30.000Z", "priority": "high", "phase": "start", "mode": "demo",
        "location": {"ward": "7B", "bed": None}, "title": "SpO2 78 %",
    }  # fmt: skip

    assert line(alert) == "10:20:30  HIGH    start       7B/-      SpO2 78 % [demo]"
