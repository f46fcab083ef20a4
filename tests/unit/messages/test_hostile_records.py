"""Whatever arrives: nothing raises, and every reading that came in comes out, used or refused."""

import orjson
from hypothesis import example, given
from hypothesis import strategies as st

from domain.commands import Command
from domain.vital_signs import DEFINITIONS, NO_VALUE, VitalSign
from tests.unit.messages.records import RawRecord, a_command, a_set
from worker.messages import (
    GivenUpBy,
    Refusal,
    RefusalReason,
    dead_letter_record,
    decode_command_record,
    decode_reading_record,
)

UNITS = sorted({unit for definition in DEFINITIONS.values() for unit in definition.units})
NASTY_TEXT = st.sampled_from(
    [
        "",
        " ",
        "\x00",
        "\u0663",
        "P-1 ",
        "\ufeff",
        "a" * 65,
        "\U0010ffff",
        "e\u0301",
        "1700000000",
        "../..",
        "{}",
    ]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0, 0.0, -0.0, NO_VALUE, 98.6, 0.97, 5e-324, 1.7976931348623157e308]),
    NASTY_TEXT,
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=5), inner, max_size=3
        )
    ),
    max_leaves=6,
)
READING = st.fixed_dictionaries(
    {},
    optional={
        "vital_sign": st.sampled_from(list(VitalSign)) | ANYTHING,
        "value": st.floats(-10, 400) | st.sampled_from([0, NO_VALUE, None, "A", "U", "air"]) | ANYTHING,
        "unit": st.sampled_from(UNITS) | ANYTHING,
        "validity": st.sampled_from(["valid", "questionable", "calibrating", "invalid", "absent", None])
        | ANYTHING,
        "site": st.sampled_from(["oral", None]) | ANYTHING,
        "device": ANYTHING,
        "unknown": ANYTHING,
    },
)
GOOD_ENVELOPE = st.fixed_dictionaries(
    {},
    optional={
        "mode": st.sampled_from(["real", "test", "demo"]),
        "acquisition": st.sampled_from(["continuous", "spot_check"]),
        "unknown": ANYTHING,
    },
)
ENVELOPE = st.dictionaries(
    st.sampled_from(
        [
            "schema_version",
            "message_id",
            "patient_id",
            "device_id",
            "observed_at",
            "mode",
            "acquisition",
            "readings",
        ]
    ),
    ANYTHING | st.just(...),
    max_size=3,
)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            ["correlation_id", "vigil-received-at", "reply_to", "traceparent", "dlq-original-topic", "dlq-attempts",
             "dlq-replay-count", "dlq-problem", "content-type"]
        )
        | st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=8),
        st.none()
        | st.binary(max_size=70)
        | st.datetimes().map(lambda moment: f"{moment.isoformat()}Z".encode())
        | st.integers(-(10**15), 10**15).map(lambda ms: str(ms).encode()),
    ),
    max_size=5,
).map(tuple)  # fmt: skip
TIMESTAMPS = st.integers(-(2**63), 2**63 - 1) | st.integers(0, 4_000_000_000_000)
OFFSETS = st.integers(0, 2**63 - 1)


def spoilt(text, position, byte):
    place = position % (len(text) + 1)
    return text[:place] + byte + text[place + 1 :]


def check(decoded):
    refused = [refusal.position for refusal in decoded.refusals]
    assert RefusalReason.DECODER_FAILED not in {refusal.reason for refusal in decoded.refusals}
    assert len(set(refused)) == len(refused)
    assert decoded.observation or decoded.refusals
    return refused


@given(value=st.none() | st.binary(max_size=300), headers=HEADERS, timestamp=TIMESTAMPS, offset=OFFSETS)
def test_no_bytes_raise_past_the_decoders(value, headers, timestamp, offset):
    record = RawRecord(value=value, headers=headers, timestamp=timestamp, offset=offset)

    check(decode_reading_record(record))
    command = decode_command_record(record)

    assert isinstance(command, Command) or command.reason is not RefusalReason.DECODER_FAILED


@given(
    envelope=ENVELOPE,
    readings=st.lists(READING, max_size=3),
    headers=HEADERS,
    position=st.integers(0, 1000),
    byte=st.none() | st.binary(max_size=2),
)
def test_no_spoilt_message_raises_past_the_decoder(envelope, readings, headers, position, byte):
    text = orjson.dumps(a_set(*readings, **envelope), option=orjson.OPT_NON_STR_KEYS)
    value = text if byte is None else spoilt(text, position, byte)

    check(decode_reading_record(RawRecord(value=value, headers=headers)))


@given(
    command=st.sampled_from(["admit", "move", "discharge", "acknowledge_alarm", "close_alarm"]),
    more=st.dictionaries(
        st.sampled_from(["command", "command_id", "ward", "bed", "birth_date", "sex", "alarm_id", "reason", "issued_at",
                         "issued_by", "mode", "patient_id"]),
        ANYTHING,
        max_size=4,
    ),
    headers=HEADERS,
)  # fmt: skip
def test_no_spoilt_command_raises_past_the_decoder(command, more, headers):
    decoded = decode_command_record(RawRecord(value=orjson.dumps(a_command(command) | more), headers=headers))

    assert isinstance(decoded, Command) or decoded.reason is not RefusalReason.DECODER_FAILED


@given(readings=st.lists(READING | ANYTHING, min_size=1, max_size=8), more=GOOD_ENVELOPE)
@example(readings=[{"vital_sign": "body_temperature", "value": 1e300, "unit": "[degF]"}], more={})
def test_every_reading_is_either_used_or_refused(readings, more):
    decoded = decode_reading_record(RawRecord(value=orjson.dumps(a_set(*readings, **more))))

    refused = check(decoded)
    used = decoded.observation.readings if decoded.observation else ()
    assert 0 not in refused
    assert len(used) + len(refused) == len(readings)
    kept = [reading for number, reading in enumerate(readings, start=1) if number not in refused]
    assert [reading.vital_sign for reading in used] == [reading["vital_sign"] for reading in kept]


@given(value=st.none() | st.binary(max_size=300), key=st.none() | st.binary(max_size=9), headers=HEADERS,
       timestamp=TIMESTAMPS)  # fmt: skip
def test_every_refusal_becomes_a_dead_letter(value, key, headers, timestamp):
    record = RawRecord(value=value, key=key, headers=headers, timestamp=timestamp)
    refusal = decode_command_record(record)
    assert isinstance(refusal, Refusal)

    row, outgoing = dead_letter_record(
        record, refusal, GivenUpBy(group="vigil", version="1", protocol_hash="abc")
    )

    assert (row.value, row.key, row.headers) == (value, key, headers)
    assert (outgoing.value, outgoing.key) == (value, key)
