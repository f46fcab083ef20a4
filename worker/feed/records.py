"""A record for one of the input topics, in the words of the wire; composing one is pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import orjson

from domain.commands import Sex
from domain.observations import Acquisition, Mode, Validity
from domain.times import from_ms
from domain.vital_signs import VitalSign
from worker.messages.announced_words import rfc3339
from worker.messages.records import RECEIVED_AT_HEADER
from worker.topics import TopicNames

_IDS = uuid5(NAMESPACE_URL, "vigil:feed")


class Inlet(StrEnum):
    """Which input topic a record is for."""

    READINGS = "readings"
    COMMANDS = "commands"


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One reading as it stands in a message; a value without a unit (air, A) has none."""

    vital_sign: VitalSign
    value: float | str
    unit: str | None = None
    site: str | None = None
    device: str | None = None
    validity: Validity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRecord:
    """One record: when it is due on the feed's own clock, and what it says.

    *received_ms* is written into a header where the feed's clock is not the real one.
    """

    due_ms: int
    inlet: Inlet
    patient_id: str
    body: Mapping[str, Any]
    received_ms: int | None = None

    @property
    def readings(self) -> Sequence[Mapping[str, Any]]:
        """The readings it carries; none where it is a command."""
        readings: Sequence[Mapping[str, Any]] = self.body.get("readings", ())
        return readings


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRecord:
    """A feed's record as the log would have it, for what evaluates it without a broker."""

    offset: int
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes | None]]
    timestamp: int = 0  # where the record's own header tells when it was received
    topic: str = Inlet.READINGS
    partition: int = 0


def logged(record: FeedRecord, offset: int, *, timestamp: int = 0) -> LoggedRecord:
    """*record* at *offset* of a log of its own."""
    return LoggedRecord(
        offset=offset,
        key=key_of(record),
        value=value_of(record),
        headers=list(headers_of(record)),
        timestamp=timestamp,
        topic=record.inlet,
    )


def identifier(*parts: object) -> str:
    """The same id for the same *parts*, always."""
    return str(uuid5(_IDS, "/".join(str(part) for part in parts)))


def observation(  # noqa: PLR0913  a message has this many parts
    *,
    message_id: str,
    patient_id: str,
    device_id: str,
    observed_ms: int,
    acquisition: Acquisition,
    mode: Mode,
    values: Sequence[Value],
    due_ms: int | None = None,
    received_ms: int | None = None,
) -> FeedRecord:
    """An observation set of *values*, due when it was observed unless said otherwise."""
    body = {
        "schema_version": 1,
        "message_id": message_id,
        "patient_id": patient_id,
        "device_id": device_id,
        "observed_at": rfc3339(from_ms(observed_ms)),
        "acquisition": acquisition.value,
        "mode": mode.value,
        "readings": [_reading(value) for value in values],
    }
    return FeedRecord(
        due_ms=observed_ms if due_ms is None else due_ms,
        inlet=Inlet.READINGS,
        patient_id=patient_id,
        body=body,
        received_ms=received_ms,
    )


def admission(  # noqa: PLR0913  likewise
    *,
    patient_id: str,
    ward: str,
    bed: str,
    mode: Mode,
    issued_ms: int,
    birth_date: str | None = None,
    sex: Sex = Sex.UNKNOWN,
    received_ms: int | None = None,
) -> FeedRecord:
    """The command that puts a patient into a bed; the same admission always bears the same id."""
    body = {
        "schema_version": 1,
        "command_id": identifier("admit", mode.value, patient_id, ward, bed, issued_ms),
        "command": "admit",
        "patient_id": patient_id,
        "issued_at": rfc3339(from_ms(issued_ms)),
        "mode": mode.value,
        "ward": ward,
        "bed": bed,
        "sex": sex.value,
    } | ({"birth_date": birth_date} if birth_date else {})
    return FeedRecord(
        due_ms=issued_ms, inlet=Inlet.COMMANDS, patient_id=patient_id, body=body, received_ms=received_ms
    )


def key_of(record: FeedRecord) -> bytes:
    """The record's key: the patient, so that a patient's records keep their order."""
    return record.patient_id.encode()


def value_of(record: FeedRecord) -> bytes:
    """The record's value: JSON in UTF-8."""
    return orjson.dumps(record.body)


def headers_of(record: FeedRecord) -> list[tuple[str, bytes]]:
    """The record's headers: the time at which it counts as received, where it carries one."""
    if record.received_ms is None:
        return []
    return [(RECEIVED_AT_HEADER, rfc3339(from_ms(record.received_ms)).encode())]


def topic_of(record: FeedRecord, topics: TopicNames) -> str:
    """The input topic it belongs to."""
    return topics.readings if record.inlet is Inlet.READINGS else topics.commands


def json_line(record: FeedRecord, topics: TopicNames) -> bytes:
    """The whole record as one line of JSON."""
    headers = {name: value.decode() for name, value in headers_of(record)}
    line = {
        "topic": topic_of(record, topics),
        "key": record.patient_id,
        "headers": headers,
        "value": record.body,
    }
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def _reading(value: Value) -> dict[str, Any]:
    reading: dict[str, Any] = {"vital_sign": value.vital_sign.value, "value": value.value}
    optional = {"unit": value.unit, "site": value.site, "device": value.device, "validity": value.validity}
    return reading | {name: content for name, content in optional.items() if content is not None}
