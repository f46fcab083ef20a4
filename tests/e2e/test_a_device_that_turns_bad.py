"""A device of which nothing can be used any more: one alarm, its dead letters go on, the others are watched."""

import json

from tests.e2e.installation import a_reading


def a_bad_set():
    return a_reading(80, mode="real").replace(b'"/min"', b'"K"')


def test_a_device_that_turns_bad_is_one_alarm_and_ends_by_itself(installation):
    with installation.running():
        for _ in range(25):
            installation.produce(a_bad_set())
        installation.produce(a_reading(170, mode="real", patient_id="P-2", device_id="mon-2"))
        for _ in range(3):
            installation.produce(a_reading(80, mode="real"))
        alerts = [json.loads(record.value()) for record in installation.read(installation.topic("alerts"), 3)]
        letters = installation.read(installation.topic("dead-letters"), 25)
        metrics = installation.get("/metrics")[1]

    about_device = [alert for alert in alerts if alert["patient_id"] is None]
    assert [(alert["reason"], alert["device_id"]) for alert in about_device] == [
        ("device_unusable", "mon-1"),
        ("device_usable", "mon-1"),
    ]
    assert [alert["value"] for alert in alerts if alert["patient_id"]] == [170]
    assert len(letters) == 25
    assert 'vigil_device_dead_letters_total{acquisition="spot_check"} 25.0' in metrics
    assert "mon-1" not in metrics
