from datetime import timedelta
from uuid import UUID

import orjson
import pytest

from domain.alarms import AlarmState, Kind, Priority
from domain.alerts import Breach, Phase, Reason
from domain.observations import Mode
from domain.vital_signs import VitalSign
from tests.unit.messages.announcements import NOW, an_alert
from tests.unit.messages.records import a_record, a_set
from worker.messages import alarm_state_record, alert_record, decode_reading_record
from worker.messages.alerts import action_of
from worker.messages.announced_shapes import AlarmStateV1, AlertV1

WARD_ALERT = {
    "patient_id": None,
    "birth_year": None,
    "bed": None,
    "vital_sign": None,
    "value": None,
    "breach": None,
    "device_id": None,
    "correlation_id": None,
    "evidence": (),
    "flags": (),
    "kind": Kind.TECHNICAL,
    "reason": Reason.WARD_SILENT,
}
ALERTS = [
    pytest.param(an_alert(), id="a limit alarm"),
    pytest.param(an_alert(**WARD_ALERT), id="a ward"),
    pytest.param(
        an_alert(phase=Phase.END, reason=Reason.CLEARED, state=AlarmState.INACTIVE, ended_at=NOW), id="an end"
    ),
    pytest.param(an_alert(phase=Phase.ESCALATE, previous_priority=Priority.LOW), id="escalated"),
    pytest.param(
        an_alert(
            vital_sign=VitalSign.CONSCIOUSNESS,
            value=2.0,
            breach=Breach(side="high", threshold=1.0, is_inclusive=True, layer="product", source="RCP"),
        ),
        id="consciousness",
    ),
]


def value_of(alert):
    return orjson.loads(alert_record(alert, site="north").value)


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_has_the_published_shape(alert):
    record = alert_record(alert, site="north")

    told = AlertV1.model_validate_json(record.value)

    assert set(orjson.loads(record.value)) == set(AlertV1.model_fields)
    assert (told.alert_id, told.patient_id, told.observed_at) == (
        alert.alert_id,
        alert.patient_id,
        alert.observed_at,
    )


def test_an_alert_tells_all_that_a_pager_needs():
    value = value_of(an_alert())

    assert value == {
        "schema_version": 1,
        "alarm_id": str(UUID(int=3)),
        "episode_id": str(UUID(int=2)),
        "chart_seq": 17,
        "kind": "physiological",
        "state": "active",
        "priority": "high",
        "mode": "real",
        "patient_id": "P-0042",
        "birth_year": 1960,
        "location": {"ward": "7B", "bed": "12"},
        "vital": {"name": "spo2", "code": "59408-5", "display": "SpO2", "unit": "%"},
        "value": 79.0,
        "limit": {
            "side": "low",
            "measure": "value",
            "threshold": 80.0,
            "inclusive": False,
            "layer": "product",
            "source": "BTS 2017",
        },
        "rule": {"id": "spo2-low", "protocol": "ward-adult", "version": "1.0.0", "hash": "abc"},
        "device_id": "mon-7b-12",
        "site": None,
        "flags": ["suspect"],
        "observed_at": "2026-11-23T10:15:00.250Z",
        "onset_at": "2026-11-23T10:15:00.250Z",
        "title": "SpO2 79 % below 80 %",
        "alert_id": str(UUID(int=1)),
        "dedup_key": str(UUID(int=2)),
        "action": "trigger",
        "phase": "start",
        "reason": "limit_violated",
        "previous_priority": None,
        "evidence": [str(UUID(int=4)), str(UUID(int=5))],
        "received_at": "2026-11-23T10:15:02.500Z",
        "determined_at": "2026-11-23T10:15:02.500Z",
        "ended_at": None,
        "late_s": 2.25,
        "correlation_id": str(UUID(int=6)),
    }


def test_the_same_alert_gives_the_same_bytes():
    assert alert_record(an_alert(), site="north") == alert_record(an_alert(), site="north")


def test_consciousness_is_told_by_its_letter():
    breach = Breach(side="high", threshold=1.0, is_inclusive=True, layer="product", source="RCP")

    value = value_of(an_alert(vital_sign=VitalSign.CONSCIOUSNESS, value=2.0, breach=breach))

    assert value["value"] == "V"
    assert value["limit"]["threshold"] == "C"
    assert value["vital"]["unit"] == "{ACVPU}"


def test_an_alert_is_a_cloud_event_in_binary_mode():
    record = alert_record(an_alert(phase=Phase.UPDATE), site="north")

    assert dict(record.headers) == {
        "content-type": b"application/json",
        "ce_specversion": b"1.0",
        "ce_id": str(UUID(int=1)).encode(),
        "ce_source": b"/vigil/north",
        "ce_type": b"org.vigil.vitals.alert.update.v1",
        "ce_time": b"2026-11-23T10:15:02.500Z",
        "ce_subject": b"P-0042/spo2",
        "ce_dataschema": b"urn:vigil:schema:vitals.alerts.v1",
        "ce_partitionkey": b"P-0042",
        "ce_severitytext": b"FATAL",
        "ce_severitynumber": b"21",
        "correlation_id": str(UUID(int=6)).encode(),
    }
    assert len(record.headers) == len(dict(record.headers))
    assert record.ce_id == UUID(int=1)
    assert (record.key, record.priority) == (b"P-0042", 3)
    assert (record.observed_at, record.received_at) == (NOW - timedelta(seconds=2, milliseconds=250), NOW)


def test_an_alert_about_a_ward_is_keyed_by_it():
    record = alert_record(an_alert(**WARD_ALERT), site="north")

    assert record.key == b"7B"
    assert dict(record.headers)["ce_subject"] == b"7B"
    assert "correlation_id" not in dict(record.headers)


@pytest.mark.parametrize(
    ("mode", "topic"), [(Mode.REAL, "alerts"), (Mode.TEST, "alerts_test"), (Mode.DEMO, "alerts_test")]
)
def test_only_real_data_reaches_the_pagers_topic(mode, topic):
    assert alert_record(an_alert(mode=mode), site="north").topic == topic


@pytest.mark.parametrize(
    ("priority", "text", "number"),
    [(Priority.LOW, b"WARN", b"13"), (Priority.MEDIUM, b"ERROR", b"17"), (Priority.HIGH, b"FATAL", b"21")],
)
def test_the_severity_header_follows_the_priority(priority, text, number):
    headers = dict(alert_record(an_alert(priority=priority), site="north").headers)

    assert (headers["ce_severitytext"], headers["ce_severitynumber"]) == (text, number)


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_asks_something_of_a_pager(phase):
    expected = {Phase.END: "resolve", Phase.RESET: "resolve", Phase.TPOINT: "inform"}.get(phase, "trigger")

    assert action_of(phase, Reason.LIMIT_VIOLATED) == expected


def test_an_acknowledgement_is_passed_on_unless_it_ends_the_alarm():
    assert action_of(Phase.UPDATE, Reason.ACKNOWLEDGED) == "acknowledge"
    assert action_of(Phase.RESET, Reason.ACKNOWLEDGED) == "resolve"


def test_a_reading_from_a_fast_clock_is_not_late():
    assert value_of(an_alert(observed_at=NOW + timedelta(seconds=30)))["late_s"] == 0


@pytest.mark.parametrize("alert", ALERTS)
def test_the_state_of_an_alarm_has_the_published_shape(alert):
    record = alarm_state_record(alert)

    assert record.topic == "alarm_state"
    assert record.key == str(alert.alarm_id).encode()
    if record.value is not None:
        AlarmStateV1.model_validate_json(record.value)
        assert set(orjson.loads(record.value)) == set(AlarmStateV1.model_fields)


@pytest.mark.parametrize("state", AlarmState)
def test_an_alarm_that_is_over_leaves_a_tombstone(state):
    record = alarm_state_record(an_alert(state=state))

    assert (record.value is None) == (state is AlarmState.INACTIVE)


def test_a_late_finding_has_no_state():
    assert alarm_state_record(an_alert(phase=Phase.TPOINT)) is None


@pytest.mark.parametrize("mode", [Mode.TEST, Mode.DEMO])
def test_who_joins_late_never_sees_an_alarm_that_is_not_real(mode):
    assert alarm_state_record(an_alert(mode=mode)) is None


def test_an_alert_tells_the_ids_of_what_was_decoded_as_any_others():
    """The decoder makes them with a class of its own, which is equal to the standard one but foreign to orjson."""
    observation = decode_reading_record(a_record(a_set())).observation
    ids = {
        "evidence": (observation.readings[0].reading_id,),
        "correlation_id": observation.correlation_id,
    }
    standard = {
        "evidence": (UUID(str(ids["evidence"][0])),),
        "correlation_id": UUID(str(ids["correlation_id"])),
    }

    assert alert_record(an_alert(**ids), site="s") == alert_record(an_alert(**standard), site="s")
