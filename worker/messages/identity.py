"""Identities that are made of content, so that the same thing always bears the same id."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from uuid import UUID

from asyncpg.pgproto import pgproto

from domain.observations import Mode, Validity
from domain.vital_signs import VitalSign

_UUID = pgproto.UUID  # pylint: disable=c-extension-no-member  # made in C: equal, and ten times as fast
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_VERSION_8 = 0x8 << 76  # RFC 9562: a layout of our own
_VARIANT = 0x2 << 62
_OFFSET_BITS = (1 << 62) - 1


def reading_id(  # noqa: PLR0913 (the content is what it is)
    *,
    mode: Mode,
    patient_id: str,
    device_id: str,
    vital_sign: VitalSign,
    site: str | None,
    observed_at: datetime,
    value: float | None,
    validity: Validity,
    device: str | None,
) -> UUID:
    """Return the id of this content; *value* in its canonical unit.

    No part can hold a NUL, so no two contents are written alike. Sub-microseconds do not exist.
    """
    instant = (observed_at - _EPOCH) // _MICROSECOND
    told = "" if value is None else repr(value)
    content = "\0".join(
        (mode, patient_id, device_id, vital_sign, site or "", str(instant), told, validity, device or "")
    )
    return _UUID(blake2b(content.encode(), digest_size=16).digest())


def correlation_id(topic: str, partition: int, offset: int) -> UUID:
    """Return the correlation id of a record that brought none: the same after a redelivery."""
    return _UUID((_correlation_base(topic, partition) | (offset & _OFFSET_BITS)).to_bytes(16))


def text_of_id(value: object) -> str:
    """Return an id as text, for orjson, which knows the standard library's class only. Raises TypeError."""
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


@lru_cache(maxsize=1024)
def _correlation_base(topic: str, partition: int) -> int:
    """Return all but the offset of a correlation id; the offset alone tells a partition's records apart."""
    digest = blake2b(f"{topic}\0{partition}".encode(), digest_size=8).digest()
    high = int.from_bytes(digest) << 64
    return (high & ~(0xF << 76)) | _VERSION_8 | _VARIANT
