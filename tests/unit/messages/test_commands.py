from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from domain.commands import AcknowledgeAlarm, Admit, CloseAlarm, Discharge, Move, Sex
from domain.observations import Mode
from tests.unit.messages.records import RECEIVED_AT, RawRecord, a_command, a_record
from worker.messages import LARGEST_VALUE, RefusalReason, decode_command_record
from worker.messages.identity import correlation_id

R = RefusalReason
ALARM = "0192aaaa-2222-4222-8333-444444444444"
COMMON = {
    "command_id": UUID("0192aaaa-1111-4222-8333-444444444444"),
    "patient_id": "P-0042",
    "issued_at": datetime(2026, 11, 23, 10, 15, tzinfo=UTC),
    "received_at": RECEIVED_AT,
    "correlation_id": correlation_id("vitals.commands.v1", 3, 4711),
}


def decoded(message, **more):
    return decode_command_record(a_record(message, topic="vitals.commands.v1", **more))


@pytest.mark.parametrize(
    ("message", "command"),
    [
        (a_command("admit", ward="7B"), Admit(**COMMON, ward="7B")),
        (
            a_command(
                "admit",
                ward="7B",
                bed="12",
                birth_date="1960-02-29",
                sex="female",
                spo2_target_88_92=True,
                issued_by="nurse-3",
                mode="demo",
                later="ignored",
            ),
            Admit(
                **COMMON,
                ward="7B",
                bed="12",
                birth_date=date(1960, 2, 29),
                sex=Sex.FEMALE,
                has_spo2_target_88_92=True,
                issued_by="nurse-3",
                mode=Mode.DEMO,
            ),
        ),
        (a_command("move", ward="7C", bed=""), Move(**COMMON, ward="7C")),
        (a_command("discharge"), Discharge(**COMMON)),
        (a_command("acknowledge_alarm", alarm_id=ALARM), AcknowledgeAlarm(**COMMON, alarm_id=UUID(ALARM))),
        (
            a_command("close_alarm", alarm_id=ALARM, reason="seen\nat the bed"),
            CloseAlarm(**COMMON, alarm_id=UUID(ALARM), reason="seen\nat the bed"),
        ),
    ],
)
def test_a_command_becomes_one_of_the_domain(message, command):
    assert decoded(message) == command


def test_a_replayed_command_carries_its_time():
    message = a_command("discharge", mode="test", issued_at="2150-01-01T00:00:00Z")

    command = decoded(message, headers=(("vigil-received-at", b"2150-01-01T00:00:01Z"),))

    assert command.received_at == datetime(2150, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert command.is_replayed


@pytest.mark.parametrize(
    ("message", "reason", "locs"),
    [
        (a_command("set_limits"), R.UNKNOWN_COMMAND, {""}),
        (a_command(...), R.INVALID_MESSAGE, {""}),
        (a_command("admit"), R.INVALID_MESSAGE, {"ward"}),
        (a_command("admit", ward=" "), R.INVALID_MESSAGE, {"ward"}),
        (a_command("admit", ward="7B", sex="x"), R.INVALID_MESSAGE, {"sex"}),
        (a_command("admit", ward="7B", spo2_target_88_92="yes"), R.INVALID_MESSAGE, {"spo2_target_88_92"}),
        (a_command("admit", ward="7B", birth_date="1961-02-29"), R.INVALID_TIME, {"birth_date"}),
        (a_command("admit", ward="7B", birth_date="1700000000"), R.INVALID_MESSAGE, {"birth_date"}),
        (a_command("close_alarm"), R.INVALID_MESSAGE, {"alarm_id"}),
        (a_command("close_alarm", alarm_id="x"), R.INVALID_MESSAGE, {"alarm_id"}),
        (a_command("discharge", command_id=5), R.INVALID_MESSAGE, {"command_id"}),
        (a_command("discharge", patient_id="a\u0000"), R.INVALID_MESSAGE, {"patient_id"}),
        (a_command("discharge", schema_version=2), R.UNSUPPORTED_SCHEMA_VERSION, {"schema_version"}),
        (a_command("discharge", issued_at="2026-11-23T10:15:00"), R.TIME_WITHOUT_ZONE, {"issued_at"}),
        (a_command("discharge", issued_at="soon"), R.INVALID_TIME, {"issued_at"}),
        (a_command("discharge", issued_at="2026-11-25T00:00:00Z"), R.ISSUED_IN_FUTURE, {"issued_at"}),
        ([], R.INVALID_MESSAGE, {""}),
    ],
)
def test_a_bad_command_is_refused_by_name(message, reason, locs):
    refusal = decoded(message)

    assert refusal.reason is reason
    assert {error.loc for error in refusal.errors} == locs
    assert refusal.correlation_id == COMMON["correlation_id"]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (RawRecord(value=None), R.NO_VALUE),
        (RawRecord(value=b"{"), R.INVALID_JSON),
        (RawRecord(value=b"[" * 5000), R.INVALID_JSON),
        (RawRecord(value=b" " * LARGEST_VALUE + b"1"), R.VALUE_TOO_LARGE),
        (a_record(a_command("discharge"), timestamp=-1), R.RECORD_TIME_UNUSABLE),
    ],
)
def test_a_record_that_is_no_command_is_refused(record, reason):
    assert decode_command_record(record).reason is reason
