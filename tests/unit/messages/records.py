"""Builders of raw records; a builder fills in what the test is not about."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

RECEIVED_AT = datetime(2026, 11, 23, 10, 15, 2, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class RawRecord:
    value: bytes | None
    key: bytes | None = b"P-0042"
    headers: tuple[tuple[str, bytes | None], ...] = ()
    topic: str = "vitals.readings.v1"
    partition: int = 3
    offset: int = 4711
    timestamp: int = int(RECEIVED_AT.timestamp() * 1000)
    timestamp_type: int = 1


def a_reading(
    vital_sign: str = "heart_rate", value: Any = 112, unit: str | None = "/min", **more: Any
) -> dict:
    reading = {"vital_sign": vital_sign, "value": value, "unit": unit, **more}
    return {name: word for name, word in reading.items() if word is not ...}


def a_set(*readings: Any, **more: Any) -> dict:
    message = {
        "schema_version": 1,
        "message_id": "m-1",
        "patient_id": "P-0042",
        "device_id": "mon-7b-12",
        "observed_at": "2026-11-23T10:15:00Z",
        "readings": list(readings) or [a_reading()],
        **more,
    }
    return {name: word for name, word in message.items() if word is not ...}


def a_command(command: str, **more: Any) -> dict:
    message = {
        "schema_version": 1,
        "command_id": "0192aaaa-1111-4222-8333-444444444444",
        "command": command,
        "patient_id": "P-0042",
        "issued_at": "2026-11-23T10:15:00Z",
        **more,
    }
    return {name: word for name, word in message.items() if word is not ...}


def a_record(message: Any, **more: Any) -> RawRecord:
    return RawRecord(value=orjson.dumps(message), **more)
