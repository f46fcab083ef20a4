from datetime import UTC, datetime

import orjson
import pytest

from persistence.headers import headers_from_json, headers_to_text
from tests.unit.messages.records import RECEIVED_AT, RawRecord, a_reading, a_record, a_set
from worker.messages import (
    GivenUpBy,
    Refusal,
    RefusalReason,
    Stage,
    dead_letter_record,
    decode_reading_record,
)
from worker.messages.announced_shapes import ProblemV1
from worker.messages.identity import correlation_id
from worker.messages.refusals import EXPLANATIONS
from worker.messages.sizes import LARGEST_RECORD

HOSTILE = (("reply_to", b"x"), ("null", None), ("bytes", b"\xff\x00"), ("bytes", b"twice"))


def the_dead_letter(record, refusal=None):
    refusal = refusal or decode_reading_record(record).refusals[0]
    return dead_letter_record(record, refusal, GivenUpBy(group="vigil", version="1.2.3", protocol_hash="abc"))


def added(outgoing, record):
    return {name: text.decode() for name, text in outgoing.headers[len(record.headers) :]}


def test_a_dead_letter_is_the_record_as_it_came():
    record = RawRecord(value=b"\xff\x00 no JSON", key=b"\x80", headers=HOSTILE)

    row, outgoing = the_dead_letter(record)

    assert outgoing.topic == "dead_letters"
    assert (outgoing.key, outgoing.value) == (b"\x80", b"\xff\x00 no JSON")
    assert outgoing.headers[: len(HOSTILE)] == HOSTILE
    assert (row.key, row.value, row.headers) == (record.key, record.value, HOSTILE)
    assert (row.topic, row.partition, row.offset, row.position) == ("vitals.readings.v1", 3, 4711, 0)
    assert (row.stage, row.reason) == ("decode", "invalid_json")
    assert row.received_at == RECEIVED_AT
    assert row.device_id is None


def test_what_it_says_survives_the_outbox():
    _, outgoing = the_dead_letter(RawRecord(value=None, headers=HOSTILE))

    assert headers_from_json(orjson.loads(headers_to_text(outgoing.headers))) == outgoing.headers


def test_a_dead_letter_says_where_it_came_from_and_why():
    record = a_record(a_set(a_reading(), a_reading("spo2", 0.97, "%")), headers=HOSTILE)

    row, outgoing = the_dead_letter(record)

    problem = {
        "type": "urn:vigil:problem:impossible_value",
        "title": "No living patient could have this value in this unit.",
        "status": 422,
        "detail": "Reading 2 of the set was not used; the others were judged on their own.",
        "instance": "/vitals.readings.v1/3/4711",
        "reason": "impossible_value",
        "position": 2,
        "errors": [{"loc": "readings[1].value", "code": "impossible_value"}],
    }
    told = added(outgoing, record)
    assert orjson.loads(told.pop("dlq-problem")) == problem == orjson.loads(row.problem)
    assert told == {
        "dlq-original-topic": "vitals.readings.v1",
        "dlq-original-partition": "3",
        "dlq-original-offset": "4711",
        "dlq-original-timestamp": "1795428902000",
        "dlq-original-timestamp-type": "LogAppendTime",
        "dlq-first-failed-at": "2026-11-23T10:15:02.000Z",
        "dlq-last-failed-at": "2026-11-23T10:15:02.000Z",
        "dlq-consumer-group": "vigil",
        "dlq-stage": "semantic",
        "dlq-exception-class": "impossible_value",
        "dlq-exception-message": "No living patient could have this value in this unit.",
        "dlq-errors": '[{"loc":"readings[1].value","code":"impossible_value"}]',
        "dlq-position": "2",
        "dlq-worker-version": "1.2.3",
        "dlq-ruleset-hash": "abc",
        "dlq-attempts": "1",
        "dlq-replay-count": "0",
        "correlation_id": str(row.correlation_id),
    }
    assert (row.position, row.device_id) == (2, "mon-7b-12")


@pytest.mark.parametrize("reason", RefusalReason)
def test_every_reason_has_a_problem_of_the_published_shape(reason):
    record = RawRecord(value=b"")
    refusal = Refusal(reason=reason, correlation_id=correlation_id("t", 0, 0))

    row, _ = the_dead_letter(record, refusal)

    assert ProblemV1.model_validate_json(row.problem).reason is reason
    assert refusal.stage is EXPLANATIONS[reason].stage


def test_every_stage_has_a_reason():
    assert {explanation.stage for explanation in EXPLANATIONS.values()} == set(Stage)


def test_a_record_that_fails_again_keeps_its_first_origin_and_counts():
    first = RawRecord(value=b"{")
    _, letter = the_dead_letter(first)
    again = RawRecord(
        value=b"{", headers=letter.headers, topic="repaired", offset=9, timestamp=1_795_515_302_000
    )

    _, outgoing = the_dead_letter(again)

    names = [name for name, _ in outgoing.headers]
    told = dict(outgoing.headers)
    assert told["dlq-original-topic"] == b"vitals.readings.v1"
    assert told["dlq-original-offset"] == b"4711"
    assert told["dlq-first-failed-at"] == b"2026-11-23T10:15:02.000Z"
    assert told["dlq-last-failed-at"] == b"2026-11-24T10:15:02.000Z"
    assert (told["dlq-attempts"], told["dlq-replay-count"]) == (b"2", b"1")
    for once in ("dlq-original-topic", "dlq-first-failed-at", "dlq-attempts", "dlq-replay-count"):
        assert names.count(once) == 1
    assert orjson.loads(told["dlq-problem"])["instance"] == "/repaired/3/9"
    kept = [header for header in letter.headers if header[0] not in
            {"dlq-attempts", "dlq-replay-count", "dlq-last-failed-at"}]  # fmt: skip
    assert list(outgoing.headers[: len(kept)]) == kept


@pytest.mark.parametrize("count", [None, b"", b"-1", b"x", b"\xff", b"9" * 5000])
def test_a_count_that_cannot_be_read_begins_anew(count):
    _, outgoing = the_dead_letter(RawRecord(value=b"{", headers=(("dlq-attempts", count),)))

    assert dict(outgoing.headers)["dlq-attempts"] == b"1"


def test_a_record_too_large_for_a_broker_stays_in_the_row_and_says_so():
    record = RawRecord(value=b"x" * LARGEST_RECORD, headers=HOSTILE)

    row, outgoing = the_dead_letter(record)

    assert row.value == record.value
    assert outgoing.value is None
    assert dict(outgoing.headers)["dlq-value-omitted"] == str(LARGEST_RECORD).encode()
    assert outgoing.headers[: len(HOSTILE)] == HOSTILE


def test_headers_and_key_too_large_for_a_broker_stay_in_the_row():
    record = RawRecord(value=b"{", key=b"k" * LARGEST_RECORD, headers=(("h", b"x" * LARGEST_RECORD),))

    row, outgoing = the_dead_letter(record)

    assert (row.key, row.headers) == (record.key, record.headers)
    assert (outgoing.key, outgoing.value) == (None, None)
    assert sum(len(text or b"") for _, text in outgoing.headers) < 4000
    assert "h" not in dict(outgoing.headers)
    assert dict(outgoing.headers)["dlq-headers-omitted"] == b"2"  # the errors stand in the problem as well
    assert dict(outgoing.headers)["dlq-original-offset"] == b"4711"


@pytest.mark.parametrize(("timestamp", "moment"), [
    (-1, datetime(1970, 1, 1, tzinfo=UTC)),
    (2**63 - 1, datetime(2300, 1, 1, tzinfo=UTC)),
])  # fmt: skip
def test_a_record_without_a_usable_time_can_be_stored(timestamp, moment):
    row, _ = the_dead_letter(RawRecord(value=b"{", timestamp=timestamp))

    assert row.received_at == moment
