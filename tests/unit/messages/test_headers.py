from datetime import UTC, datetime
from uuid import UUID

import pytest

from tests.unit.messages.records import RECEIVED_AT, a_record, a_set
from worker.messages import decode_reading_record

CARRIED = "0192aaaa-1111-4222-8333-444444444444"
MOMENT = datetime(2150, 3, 1, 12, 0, 0, 500_000, tzinfo=UTC)


def the_observation(*headers, **more):
    return decode_reading_record(a_record(a_set(**more), headers=headers)).observation


def test_a_correlation_id_is_taken_from_the_header():
    observation = the_observation(("correlation_id", CARRIED.encode()))

    assert observation.correlation_id == UUID(CARRIED)


def test_the_last_of_two_correlation_ids_counts():
    other = UUID(int=7)

    observation = the_observation(
        ("correlation_id", str(other).encode()), ("correlation_id", CARRIED.encode())
    )

    assert observation.correlation_id == UUID(CARRIED)


@pytest.mark.parametrize("unusable", [None, b"\xff", b"0" * 65])
def test_a_header_that_cannot_be_read_does_not_hide_one_that_can(unusable):
    observation = the_observation(("correlation_id", CARRIED.encode()), ("correlation_id", unusable))

    assert observation.correlation_id == UUID(CARRIED)


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("correlation_id", None),),
        (("correlation_id", b"\xff\x00"),),
        (("correlation_id", b"not a uuid"),),
        (("correlation_id", b""),),
        (("correlation_id", b"0" * 100_000),),
        (("correlation_id", "\u0663".encode() * 32),),
        (("reply_to", b"attacker"), ("", None), ("\x00", b"\x80")),
    ],
)
def test_a_made_correlation_id_is_the_same_after_a_redelivery(headers):
    first, again = the_observation(*headers), the_observation(*headers)

    assert first.correlation_id == again.correlation_id
    assert first.correlation_id.version == 8


def test_records_of_other_places_have_other_correlation_ids():
    places = [
        {"topic": topic, "partition": partition, "offset": offset}
        for topic in ("a", "b")
        for partition in (0, 1)
        for offset in (0, 1, 2**62 - 1)
    ]

    ids = {decode_reading_record(a_record(a_set(), **place)).observation.correlation_id for place in places}

    assert len(ids) == len(places)


@pytest.mark.parametrize("mode", ["test", "demo"])
@pytest.mark.parametrize(
    "text", [b"5685422400500", b"2150-03-01T12:00:00.500Z", b"2150-03-01T13:00:00.5+01:00"]
)
def test_data_that_is_not_real_may_carry_its_received_time(mode, text):
    observed = "2150-03-01T11:59:00Z"

    observation = the_observation(("vigil-received-at", text), mode=mode, observed_at=observed)

    assert observation.received_at == MOMENT
    assert observation.is_replayed is True


def test_a_carried_time_stands_in_for_a_record_without_one():
    headers = (("vigil-received-at", b"2026-11-23T10:15:00Z"),)

    decoded = decode_reading_record(a_record(a_set(mode="demo"), headers=headers, timestamp=-1))

    assert decoded.observation.is_replayed


def test_real_data_has_the_received_time_of_the_log():
    observation = the_observation(("vigil-received-at", b"2020-01-01T00:00:00Z"), mode="real")

    assert observation.received_at == RECEIVED_AT
    assert observation.is_replayed is False


@pytest.mark.parametrize(
    "text",
    [
        None,
        b"",
        b"\xff",
        b"yesterday",
        b"2026-11-23",
        b"2026-11-23T10:15:00",
        b"9999-12-31T23:59:59Z",
        b"99999999999999",
        b"-99999999999999",
        b"9" * 5000,
        "\u0661\u0662\u0663".encode(),
    ],
)
def test_a_carried_time_that_cannot_be_read_is_passed_over(text):
    observation = the_observation(("vigil-received-at", text), mode="demo")

    assert observation.received_at == RECEIVED_AT
    assert observation.is_replayed is False
