from datetime import UTC, datetime, timedelta

import orjson
import pytest

from domain.observations import Acquisition, Mode, Validity
from domain.vital_signs import NO_VALUE, VitalSign
from tests.unit.messages.records import RECEIVED_AT, RawRecord, a_reading, a_record, a_set
from worker.messages import LARGEST_VALUE, MOST_READINGS, RefusalReason, Stage, decode_reading_record

R = RefusalReason


def the_observation(record):
    decoded = decode_reading_record(record)
    assert decoded.refusals == ()
    return decoded.observation


def the_reading(reading, **more):
    return the_observation(a_record(a_set(reading, **more))).readings[0]


def the_refusal(record):
    decoded = decode_reading_record(record)
    assert decoded.observation is None
    (refusal,) = decoded.refusals
    return refusal


def the_text_refusal(old, new):
    return the_refusal(RawRecord(value=orjson.dumps(a_set()).replace(old, new)))


def test_a_set_becomes_an_observation_of_the_domain():
    record = a_record(
        a_set(
            a_reading("heart_rate", 112),
            a_reading("body_temperature", 101.1, "[degF]", site="oral"),
            acquisition="continuous",
            mode="test",
        )
    )

    observation = the_observation(record)

    assert observation.message_id == "m-1"
    assert observation.patient_id == "P-0042"
    assert observation.device_id == "mon-7b-12"
    assert observation.observed_at == datetime(2026, 11, 23, 10, 15, tzinfo=UTC)
    assert observation.received_at == RECEIVED_AT
    assert observation.acquisition is Acquisition.CONTINUOUS
    assert observation.mode is Mode.TEST
    assert observation.is_replayed is False
    rate, temperature = observation.readings
    assert (rate.vital_sign, rate.value, rate.validity) == (VitalSign.HEART_RATE, 112.0, Validity.VALID)
    assert (temperature.value, temperature.site) == (38.4, "oral")


def test_what_is_not_said_is_a_real_spot_check():
    observation = the_observation(a_record(a_set()))

    assert observation.acquisition is Acquisition.SPOT_CHECK
    assert observation.mode is Mode.REAL


def test_an_empty_word_says_nothing():
    reading = the_reading(a_reading(site="", device=""))

    assert (reading.site, reading.device) == (None, None)


def test_unknown_fields_are_ignored():
    reading = the_reading(a_reading(colour="red"), ward={"a": [1]})

    assert reading.value == 112.0


def test_the_patient_of_the_message_counts_where_the_key_differs():
    observation = the_observation(a_record(a_set(), key=b"\xff somebody else"))

    assert observation.patient_id == "P-0042"


@pytest.mark.parametrize(
    ("reading", "value"),
    [
        (a_reading("heart_rate", 60, "/min"), 60.0),
        (a_reading("pulse", 60, "264864"), 60.0),
        (a_reading("respiratory_rate", 12, "{breaths}/min"), 12.0),
        (a_reading("spo2", 97, "%"), 97.0),
        (a_reading("spo2", 0.97, "1"), 97.0),
        (a_reading("body_temperature", 38.05, "Cel"), 38.05),
        (a_reading("body_temperature", 98.6, "[degF]"), 37.0),
        (a_reading("body_temperature", 98.6, "268160"), 37.0),
        (a_reading("systolic_pressure", 16, "kPa"), 120.0),
        (a_reading("diastolic_pressure", 80, "mm[Hg]"), 80.0),
        (a_reading("mean_pressure", 93, "266016"), 93.0),
        (a_reading("consciousness", "A", ...), 0.0),
        (a_reading("consciousness", "C", None), 1.0),
        (a_reading("consciousness", "V", "{ACVPU}"), 2.0),
        (a_reading("consciousness", "P", ...), 3.0),
        (a_reading("consciousness", "U", ...), 4.0),
        (a_reading("oxygen_therapy", "air", ...), 0.0),
        (a_reading("oxygen_therapy", 0, "L/min"), 0.0),
        (a_reading("oxygen_therapy", 2.5, "L/min", device="nasal_cannula"), 2.5),
        (a_reading("gcs", 15, "{score}"), 15.0),
        (a_reading("body_weight", 80000, "g"), 80.0),
        (a_reading("body_height", 1.8, "m"), 180.0),
    ],
)
def test_a_value_is_taken_in_its_canonical_unit(reading, value):
    taken = the_reading(reading)

    assert taken.value == value
    assert taken.validity is Validity.VALID
    assert taken.device == reading.get("device")


@pytest.mark.parametrize(
    ("reading", "value", "validity"),
    [
        pytest.param(a_reading("heart_rate", 0), 0.0, Validity.ABSENT, id="zero from a monitor"),
        pytest.param(a_reading("heart_rate", -0.0), 0.0, Validity.ABSENT, id="minus zero"),
        pytest.param(a_reading("spo2", 0, "%"), 0.0, Validity.ABSENT, id="no saturation"),
        pytest.param(
            a_reading("systolic_pressure", 0, "kPa"), 0.0, Validity.ABSENT, id="zero before conversion"
        ),
        pytest.param(
            a_reading("body_temperature", 0, "[degF]"), 0.0, Validity.ABSENT, id="0 F is not -17.8 C"
        ),
        pytest.param(a_reading("spo2", 8388607, "%"), NO_VALUE, Validity.ABSENT, id="sentinel"),
        pytest.param(a_reading("spo2", 8388607, "1"), NO_VALUE, Validity.ABSENT, id="sentinel, other unit"),
        pytest.param(a_reading("gcs", 8388607, ...), NO_VALUE, Validity.ABSENT, id="sentinel without a unit"),
        pytest.param(
            a_reading("consciousness", 8388607, ...), NO_VALUE, Validity.ABSENT, id="sentinel for a word"
        ),
        pytest.param(a_reading("heart_rate", 0, ...), 0.0, Validity.ABSENT, id="zero without a unit"),
        pytest.param(a_reading("heart_rate", None, ...), None, Validity.ABSENT, id="null says absent"),
        pytest.param(
            a_reading(value=None, validity=None), None, Validity.ABSENT, id="null beside a null validity"
        ),
        pytest.param(a_reading(value=None, validity="absent"), None, Validity.ABSENT, id="absent, null"),
        pytest.param(a_reading(value=..., validity="absent"), None, Validity.ABSENT, id="absent, left out"),
        pytest.param(
            a_reading(value=..., unit=..., validity="invalid"), None, Validity.INVALID, id="invalid, none"
        ),
        pytest.param(a_reading(value=80, validity="absent"), 80.0, Validity.ABSENT, id="absent with a value"),
        pytest.param(
            a_reading(value=900, validity="invalid"), 900.0, Validity.INVALID, id="invalid, impossible"
        ),
        pytest.param(
            a_reading(value=80, unit="mV", validity="invalid"), None, Validity.INVALID, id="invalid, unit"
        ),
        pytest.param(a_reading(value="x", validity="invalid"), None, Validity.INVALID, id="invalid, word"),
        pytest.param(a_reading(value=0, validity="calibrating"), 0.0, Validity.CALIBRATING, id="calibrating"),
        pytest.param(
            a_reading(value=80, validity="questionable"), 80.0, Validity.QUESTIONABLE, id="questionable"
        ),
        pytest.param(
            a_reading(value=0, validity="questionable"), 0.0, Validity.ABSENT, id="questionable zero"
        ),
        pytest.param(
            a_reading("body_temperature", 1e300, "[degF]", validity="invalid"),
            None,
            Validity.INVALID,
            id="too large",
        ),
    ],
)
def test_news_of_the_signal_is_never_refused(reading, value, validity):
    taken = the_reading(reading)

    assert taken.value == value
    assert taken.validity is validity


@pytest.mark.parametrize(
    ("reading", "reason", "field"),
    [
        (a_reading("heartrate"), R.UNKNOWN_VITAL_SIGN, "vital_sign"),
        (a_reading("Heart_Rate"), R.UNKNOWN_VITAL_SIGN, "vital_sign"),
        (a_reading(5), R.UNKNOWN_VITAL_SIGN, "vital_sign"),
        (a_reading(...), R.INVALID_READING, "vital_sign"),
        (a_reading(unit=...), R.UNIT_MISSING, "unit"),
        (a_reading(unit=None), R.UNIT_MISSING, "unit"),
        (a_reading(unit=""), R.UNIT_MISSING, "unit"),
        (a_reading(unit="bpm"), R.UNIT_NOT_ACCEPTED, "unit"),
        (a_reading(unit="Hz"), R.UNIT_NOT_ACCEPTED, "unit"),
        (a_reading("body_temperature", 37, "°C"), R.UNIT_NOT_ACCEPTED, "unit"),
        (a_reading("body_temperature", 37, "cel"), R.UNIT_NOT_ACCEPTED, "unit"),
        (a_reading("consciousness", "A", "%"), R.UNIT_NOT_ACCEPTED, "unit"),
        (a_reading(unit=5), R.INVALID_READING, "unit"),
        (a_reading("body_temperature", 98.6, "Cel"), R.IMPOSSIBLE_VALUE, "value"),
        (a_reading("body_temperature", 37, "[degF]"), R.IMPOSSIBLE_VALUE, "value"),
        (a_reading("body_temperature", -17.8, "Cel"), R.IMPOSSIBLE_VALUE, "value"),
        (a_reading("body_temperature", 1e300, "[degF]"), R.IMPOSSIBLE_VALUE, "value"),
        (a_reading("spo2", 0.97, "%"), R.IMPOSSIBLE_VALUE, "value"),
        (a_reading("spo2", 97, "1"), R.IMPOSSIBLE_VALUE, "value"),
        (a_reading("spo2", 100.1, "%"), R.IMPOSSIBLE_VALUE, "value"),
        (a_reading("heart_rate", 300), R.IMPOSSIBLE_VALUE, "value"),
        (a_reading("heart_rate", -5), R.IMPOSSIBLE_VALUE, "value"),
        (a_reading("heart_rate", 8388608), R.IMPOSSIBLE_VALUE, "value"),
        (a_reading("gcs", 2, "{score}"), R.IMPOSSIBLE_VALUE, "value"),
        (a_reading("gcs", 13.5, "{score}"), R.IMPOSSIBLE_VALUE, "value"),
        (a_reading("gcs", 0, "{score}"), R.IMPOSSIBLE_VALUE, "value"),
        (a_reading("oxygen_therapy", -1, "L/min"), R.IMPOSSIBLE_VALUE, "value"),
        (a_reading("oxygen_therapy", 5, ...), R.UNIT_MISSING, "unit"),
        (a_reading("oxygen_therapy", "water", ...), R.UNKNOWN_VALUE_CODE, "value"),
        (a_reading("consciousness", "X", ...), R.UNKNOWN_VALUE_CODE, "value"),
        (a_reading("consciousness", "a", ...), R.UNKNOWN_VALUE_CODE, "value"),
        (a_reading("consciousness", 1, ...), R.VALUE_WRONG_TYPE, "value"),
        (a_reading("consciousness", 1, "{ACVPU}"), R.VALUE_WRONG_TYPE, "value"),
        (a_reading("heart_rate", "112"), R.VALUE_WRONG_TYPE, "value"),
        (a_reading("heart_rate", ""), R.VALUE_WRONG_TYPE, "value"),
        (a_reading("heart_rate", True), R.INVALID_READING, "value"),
        (a_reading("heart_rate", [112]), R.INVALID_READING, "value"),
        (a_reading("heart_rate", {"v": 1}), R.INVALID_READING, "value"),
        (a_reading(value=...), R.VALUE_MISSING, "value"),
        (a_reading(value=None, validity="valid"), R.VALUE_MISSING, "value"),
        (a_reading(value=None, validity="questionable"), R.VALUE_MISSING, "value"),
        (a_reading(validity="fine"), R.INVALID_READING, "validity"),
        (a_reading(site="a\u0000b"), R.INVALID_READING, "site"),
        (a_reading(site="x" * 65), R.INVALID_READING, "site"),
        (a_reading(device=7), R.INVALID_READING, "device"),
        ("heart_rate", R.INVALID_READING, ""),
        (None, R.INVALID_READING, ""),
        ([], R.INVALID_READING, ""),
    ],
)
def test_a_bad_reading_is_refused_by_name_and_does_not_cost_its_set(reading, reason, field):
    decoded = decode_reading_record(
        a_record(a_set(a_reading("spo2", 97, "%"), reading, a_reading("pulse", 80)))
    )

    assert [kept.vital_sign for kept in decoded.observation.readings] == [VitalSign.SPO2, VitalSign.PULSE]
    (refusal,) = decoded.refusals
    assert refusal.reason is reason
    assert refusal.position == 2
    assert refusal.device_id == "mon-7b-12"
    assert refusal.correlation_id == decoded.observation.correlation_id
    assert {error.loc for error in refusal.errors} == {f"readings[1].{field}" if field else "readings[1]"}


def test_a_set_of_which_nothing_can_be_used_has_a_refusal_for_each_reading():
    decoded = decode_reading_record(a_record(a_set(a_reading("hr"), a_reading(unit="x"))))

    assert decoded.observation is None
    assert [(refusal.position, refusal.reason) for refusal in decoded.refusals] == [
        (1, R.UNKNOWN_VITAL_SIGN),
        (2, R.UNIT_NOT_ACCEPTED),
    ]


def test_two_readings_of_one_sign_in_one_set_are_both_kept():
    observation = the_observation(a_record(a_set(a_reading(value=80), a_reading(value=150))))

    assert [reading.value for reading in observation.readings] == [80.0, 150.0]
    assert len({reading.reading_id for reading in observation.readings}) == 2


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"readings": []}, R.NO_READINGS),
        ({"readings": [a_reading()] * (MOST_READINGS + 1)}, R.TOO_MANY_READINGS),
        ({"readings": ...}, R.INVALID_MESSAGE),
        ({"readings": {"0": a_reading()}}, R.INVALID_MESSAGE),
        ({"readings": None}, R.INVALID_MESSAGE),
        ({"schema_version": 2}, R.UNSUPPORTED_SCHEMA_VERSION),
        ({"schema_version": "1"}, R.UNSUPPORTED_SCHEMA_VERSION),
        ({"schema_version": ...}, R.INVALID_MESSAGE),
        ({"message_id": ...}, R.INVALID_MESSAGE),
        ({"message_id": "x" * 129}, R.INVALID_MESSAGE),
        ({"patient_id": ...}, R.INVALID_MESSAGE),
        ({"patient_id": None}, R.INVALID_MESSAGE),
        ({"patient_id": 42}, R.INVALID_MESSAGE),
        ({"patient_id": ""}, R.INVALID_MESSAGE),
        ({"patient_id": " "}, R.INVALID_MESSAGE),
        ({"patient_id": "P-1 "}, R.INVALID_MESSAGE),
        ({"patient_id": "P\u0000"}, R.INVALID_MESSAGE),
        ({"patient_id": "P\n1"}, R.INVALID_MESSAGE),
        ({"patient_id": "x" * 65}, R.INVALID_MESSAGE),
        ({"device_id": ...}, R.INVALID_MESSAGE),
        ({"mode": "REAL"}, R.INVALID_MESSAGE),
        ({"mode": None}, R.INVALID_MESSAGE),
        ({"acquisition": "guess"}, R.INVALID_MESSAGE),
        ({"observed_at": ...}, R.INVALID_MESSAGE),
        ({"observed_at": 1700000000}, R.INVALID_MESSAGE),
        ({"observed_at": "1700000000"}, R.INVALID_TIME),
        ({"observed_at": "2026-11-23"}, R.INVALID_TIME),
        ({"observed_at": "2026-11-23T10:15Z"}, R.INVALID_TIME),
        ({"observed_at": "2026-02-30T10:15:00Z"}, R.INVALID_TIME),
        ({"observed_at": "2026-11-23T10:15:60Z"}, R.INVALID_TIME),
        ({"observed_at": "2026-11-23T10:15:00+25:00"}, R.INVALID_TIME),
        ({"observed_at": "2026-11-23T10:15:00"}, R.TIME_WITHOUT_ZONE),
        ({"observed_at": "0001-01-01T00:00:00+14:00"}, R.TIME_OUT_OF_RANGE),
        ({"observed_at": "9999-12-31T23:59:59-14:00"}, R.TIME_OUT_OF_RANGE),
        ({"observed_at": "1899-12-31T23:59:59Z"}, R.TIME_OUT_OF_RANGE),
        ({"observed_at": "2300-01-01T00:00:00Z"}, R.TIME_OUT_OF_RANGE),
        ({"observed_at": "2026-11-24T10:15:02.001Z"}, R.OBSERVED_IN_FUTURE),
    ],
)
def test_a_bad_envelope_costs_the_whole_record(more, reason):
    refusal = the_refusal(a_record(a_set(**more)))

    assert refusal.reason is reason
    assert refusal.position == 0


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-23T11:15:00+01:00", datetime(2026, 11, 23, 10, 15, tzinfo=UTC)),
        ("2026-11-23 10:15:00Z", datetime(2026, 11, 23, 10, 15, tzinfo=UTC)),
        ("2026-11-23T10:15:00.123456789Z", datetime(2026, 11, 23, 10, 15, 0, 123456, tzinfo=UTC)),
        ("1900-01-01T00:00:00Z", datetime(1900, 1, 1, tzinfo=UTC)),
        ("2026-11-24T10:15:02Z", RECEIVED_AT + timedelta(hours=24)),
    ],
)
def test_a_time_is_taken_in_utc(text, instant):
    observation = the_observation(a_record(a_set(observed_at=text)))

    assert observation.observed_at == instant
    assert observation.observed_at.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"NaN", id="not a number"),
        pytest.param(b"-Infinity", id="infinite"),
        pytest.param(b"1e400", id="beyond a float"),
        pytest.param(b"1" + b"0" * 400, id="a huge integer"),
        pytest.param(b"-1" + b"0" * 4000, id="a huge negative integer"),
    ],
)
def test_a_number_that_is_none_refuses_its_reading(text):
    refusal = the_text_refusal(b"112", text)

    assert refusal.reason is R.INVALID_READING
    assert refusal.position == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b"112", b"[" * 10_000, id="deep and open"),
        pytest.param(b"112", b"[" * 5_000 + b"]" * 5_000, id="deep and closed"),
        pytest.param(b"112", b"1" + b"0" * 5_000, id="an integer beyond the parser's bound"),
        pytest.param(b"P-0042", b"\xff\xfe", id="not UTF-8"),
        pytest.param(b"P-0042", b"\xc0\x80", id="overlong UTF-8"),
        pytest.param(b"P-0042", b"\\ud800", id="lone surrogate"),
        pytest.param(b"P-0042", b"\x00", id="a raw NUL"),
        pytest.param(b"}", b"", id="cut off"),
        pytest.param(b"{", b"\xef\xbb\xbf{", id="byte order mark"),
    ],
)
def test_what_is_not_json_is_refused_at_the_door(old, new):
    refusal = the_text_refusal(old, new)

    assert refusal.reason is R.INVALID_JSON
    assert refusal.stage is Stage.DECODE


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, R.NO_VALUE),
        (b"", R.INVALID_JSON),
        (b"null", R.INVALID_MESSAGE),
        (b"[]", R.INVALID_MESSAGE),
        (b" " * LARGEST_VALUE + b"1", R.VALUE_TOO_LARGE),
    ],
)
def test_a_value_that_is_no_message_is_refused(value, reason):
    assert the_refusal(RawRecord(value=value)).reason is reason


def test_the_largest_value_is_still_read():
    text = orjson.dumps(a_set())

    assert the_observation(RawRecord(value=text + b" " * (LARGEST_VALUE - len(text))))


@pytest.mark.parametrize("timestamp", [-1, -(2**63), 2**63 - 1, 10_413_792_000_000])
def test_a_record_without_a_usable_time_is_refused(timestamp):
    assert the_refusal(a_record(a_set(), timestamp=timestamp)).reason is R.RECORD_TIME_UNUSABLE


def test_errors_never_repeat_what_was_sent():
    record = a_record(a_set(a_reading("SECRET"), a_reading(unit="SECRET"), a_reading(validity="SECRET")))

    assert "SECRET" not in repr(decode_reading_record(record))
