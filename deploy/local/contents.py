"""What a message says, read without Vigil's own code: each reading as the database must hold it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ACVPU = "ACVPU"
_NO_VALUE = 8388607


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reading stands: its record in the log, and which of the record's readings it is, from 1."""

    topic: str
    partition: int
    offset: int
    position: int


@dataclass(frozen=True, slots=True, order=True)
class Content:
    """One reading: whose, by which device, of what, when, and how much in the canonical unit."""

    patient_id: str
    mode: str
    device_id: str
    vital_sign: str
    site: str
    observed_ms: int
    value: str


def readings_in(value: bytes) -> Iterator[Content]:
    """The readings of one observation set."""
    message = json.loads(value)
    observed_ms = milliseconds(datetime.fromisoformat(message["observed_at"]))
    for reading in message["readings"]:
        yield Content(
            patient_id=message["patient_id"],
            mode=message.get("mode", "real"),
            device_id=message["device_id"],
            vital_sign=reading["vital_sign"],
            site=reading.get("site") or "",
            observed_ms=observed_ms,
            value=_canonical(reading),
        )


def milliseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(milliseconds=1)


def written(value: float | None) -> str:
    """A value as it is compared; the shortest way to write the number."""
    return "" if value is None else f"{float(value):g}"


def _canonical(reading: Mapping[str, Any]) -> str:
    value = reading.get("value")
    if value == "air":
        return written(0)
    if isinstance(value, str):
        return written(_ACVPU.index(value))
    if reading.get("unit") == "[degF]" and value not in (0, _NO_VALUE):
        celsius = (Decimal(str(value)) - 32) * 5 / 9
        return written(float(celsius.quantize(Decimal("0.1"), ROUND_HALF_UP)))
    return written(value)
