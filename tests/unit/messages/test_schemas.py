from copy import deepcopy
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.unit.messages.announcements import an_alert
from tests.unit.messages.compatibility import broken_for_consumers, broken_for_producers
from tests.unit.messages.records import RawRecord, a_command, a_reading, a_set
from worker.messages import alarm_state_record, alert_record, decode_reading_record
from worker.messages.schemas import FOLDER, INCOMING, OUTGOING, schemas, text_of, write

RELEASED = FOLDER / "released"
TOPICS = sorted([*INCOMING, *OUTGOING])


def read(folder: Path, topic):
    return orjson.loads((folder / f"{topic}.json").read_bytes())


@pytest.mark.parametrize("topic", TOPICS)
def test_the_published_schema_is_that_of_the_model(topic):
    published = (FOLDER / f"{topic}.json").read_text()

    assert published == text_of(schemas()[topic]), "run `make schemas`"


def test_nothing_else_is_published():
    assert sorted(path.stem for path in FOLDER.glob("*.json")) == TOPICS
    assert sorted(path.stem for path in RELEASED.glob("*.json")) == TOPICS


def test_schemas_are_written_where_they_are_asked_for(tmp_path):
    write(tmp_path)

    assert sorted(path.stem for path in tmp_path.iterdir()) == TOPICS


@pytest.mark.parametrize("topic", TOPICS)
def test_a_schema_is_one(topic):
    Draft202012Validator.check_schema(read(FOLDER, topic))


@pytest.mark.parametrize("topic", TOPICS)
def test_nothing_breaks_for_those_who_hold_to_the_last_release(topic):
    broken = broken_for_producers if topic in INCOMING else broken_for_consumers

    assert broken(read(RELEASED, topic), schemas()[topic]) == []


@pytest.mark.parametrize("topic", OUTGOING)
def test_unknown_fields_are_forbidden_on_the_way_out(topic):
    schema = schemas()[topic]

    objects = [schema, *(part for part in schema.get("$defs", {}).values() if part["type"] == "object")]
    assert all(part["additionalProperties"] is False for part in objects)


@pytest.mark.parametrize("topic", INCOMING)
def test_unknown_fields_are_allowed_on_the_way_in(topic):
    assert "additionalProperties" not in text_of(schemas()[topic])


def test_what_is_sent_satisfies_the_published_schema():
    alert = an_alert()

    Draft202012Validator(schemas()["vitals.alerts.v1"]).validate(
        orjson.loads(alert_record(alert, site="n").value)
    )
    Draft202012Validator(schemas()["vitals.alarm-state.v1"]).validate(
        orjson.loads(alarm_state_record(alert).value)
    )


@pytest.mark.parametrize(
    "command",
    [
        a_command("admit", ward="7B", birth_date="1960-02-29"),
        a_command("move", ward="7B"),
        a_command("discharge"),
    ],
)
def test_a_good_command_satisfies_the_published_schema(command):
    Draft202012Validator(schemas()["vitals.commands.v1"]).validate(command)


@given(
    st.sampled_from(["heart_rate", "hr", 5]),
    st.sampled_from([80, None, True, "A"]),
    st.sampled_from(["/min", 5]),
)
def test_what_the_schema_forbids_is_refused(vital_sign, value, unit):
    """The other way round does not hold: a schema cannot say that 98.6 Cel is impossible."""
    message = a_set(a_reading(vital_sign, value, unit))

    decoded = decode_reading_record(RawRecord(value=orjson.dumps(message)))

    if not Draft202012Validator(schemas()["vitals.readings.v1"]).is_valid(message):
        assert decoded.observation is None


def changed(topic, *path, value=None):
    schema = deepcopy(read(RELEASED, topic))
    place = schema
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return schema


READINGS, ALERTS, COMMANDS = "vitals.readings.v1", "vitals.alerts.v1", "vitals.commands.v1"
READING = ("$defs", "ReadingV1")


@pytest.mark.parametrize(
    ("topic", "path", "value"),
    [
        (READINGS, ("required",), ["message_id", "ward"]),
        (READINGS, (*READING, "required"), ["vital_sign", "unit"]),
        (READINGS, ("properties", "mode"), None),
        (READINGS, ("$defs", "VitalSign", "enum"), ["spo2"]),
        (READINGS, ("properties", "patient_id", "type"), "integer"),
        (READINGS, ("properties", "patient_id", "maxLength"), 10),
        (READINGS, ("properties", "patient_id", "pattern"), "^P"),
        (READINGS, ("properties", "readings", "minItems"), 2),
        (READINGS, ("properties", "schema_version", "const"), 2),
        (READINGS, (*READING, "properties", "value", "anyOf"), [{"type": "number"}]),
        (COMMANDS, ("$defs", "AdmitV1", "required"), ["bed"]),
        (COMMANDS, ("oneOf",), [{"$ref": "#/$defs/AdmitV1"}]),
    ],
)
def test_a_change_that_breaks_a_producer_is_found(topic, path, value):
    assert broken_for_producers(read(RELEASED, topic), changed(topic, *path, value=value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("properties", "title"), None),
        (("properties", "chart_seq", "type"), "string"),
        (("properties", "title", "anyOf"), [{"type": "string"}, {"type": "null"}]),
        (("required",), ["schema_version"]),
        (("properties", "observed_at", "format"), "date"),
        (("$defs", "LimitV1", "properties", "side"), None),
    ],
)
def test_a_change_that_breaks_a_consumer_is_found(path, value):
    assert broken_for_consumers(read(RELEASED, ALERTS), changed(ALERTS, *path, value=value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("properties", "encounter"), {"type": "string"}),
        (("properties", "patient_id", "maxLength"), 100),
        (("properties", "mode", "description"), "said better"),
    ],
)
def test_a_producer_is_not_held_up_by_what_does_not_concern_it(path, value):
    assert broken_for_producers(read(RELEASED, READINGS), changed(READINGS, *path, value=value)) == []
