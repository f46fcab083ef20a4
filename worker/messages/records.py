"""What is read off a Kafka record beside its value: when it came, and which record it belongs with."""

import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Protocol
from uuid import UUID

from domain.observations import Mode
from domain.times import from_ms
from worker.messages import identity
from worker.messages.instants import FIRST_YEAR, LAST_YEAR, WIRE_PATTERN, parse_instant

LARGEST_VALUE = 64 * 1024
"""Bytes; a full observation set takes less than a tenth of it."""

_CORRELATION_HEADER = "correlation_id"
RECEIVED_AT_HEADER = "vigil-received-at"
_LONGEST_HEADER = 64
_MILLISECONDS = re.compile(r"-?[0-9]{1,14}")
_UUID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
_INSTANT = re.compile(WIRE_PATTERN)
END_OF_TIME_MS = 10_413_792_000_000  # 2300-01-01

_instant = lru_cache(maxsize=1024)(from_ms)  # records that came together bear the same time


class Record(Protocol):
    """A consumed record; aiokafka's ConsumerRecord fits."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...  # milliseconds since 1970, -1 for none
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


def correlation_of(record: Record) -> UUID:
    """Return the correlation id the record carries, else one made of its place in the log."""
    if record.headers:
        carried = _text_header(record, _CORRELATION_HEADER)
        if carried is not None and _UUID.fullmatch(carried):  # UUID() itself would take much more
            return UUID(carried)
    return identity.correlation_id(record.topic, record.partition, record.offset)


def received_time(record: Record, mode: Mode) -> tuple[datetime | None, bool]:
    """Return when the record came, and whether that was read from its header.

    Only data that is not real may carry its own received time, so that a recording can be played in its
    own time; for real data the log's time is the only one. None: the record's timestamp is unusable.
    """
    if mode is not Mode.REAL and record.headers:
        carried = _carried_time(record)
        if carried is not None:
            return carried, True
    if not 0 <= record.timestamp < END_OF_TIME_MS:
        return None, False
    return _instant(record.timestamp), False


def time_in_log(record: Record) -> datetime:
    """Return the record's own time, brought into the years that a column can hold."""
    return from_ms(min(max(record.timestamp, 0), END_OF_TIME_MS))


def _carried_time(record: Record) -> datetime | None:
    text = _text_header(record, RECEIVED_AT_HEADER)
    if text is None:
        return None
    if _MILLISECONDS.fullmatch(text):
        try:
            instant = from_ms(int(text))
        except OverflowError:
            return None
        return instant if FIRST_YEAR <= instant.year <= LAST_YEAR else None
    parsed = parse_instant(text) if _INSTANT.fullmatch(text) else None
    return parsed if isinstance(parsed, datetime) else None


def _text_header(record: Record, name: str) -> str | None:
    """Return the last header of this *name* that is short UTF-8 text."""
    for key, value in reversed(record.headers):
        if key == name and value is not None and len(value) <= _LONGEST_HEADER:
            try:
                return value.decode()
            except UnicodeDecodeError:
                continue
    return None
