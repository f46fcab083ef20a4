"""Kafka headers as JSON text: readable in the database, and the same bytes when read back."""

from collections.abc import Iterable
from typing import TypeAlias

import orjson

Headers: TypeAlias = tuple[tuple[str, bytes | None], ...]

# Latin-1 has a character for every byte, so nothing is lost, and what was ASCII can be read.
_ANY_BYTES = "latin-1"


def headers_to_text(headers: Iterable[tuple[str, bytes | None]]) -> str:
    """Return *headers* as `[[name, value], …]`, in order; each byte of a value becomes one character."""
    pairs = [(name, None if value is None else value.decode(_ANY_BYTES)) for name, value in headers]
    return orjson.dumps(pairs).decode()


def headers_from_json(pairs: Iterable[tuple[str, str | None]]) -> Headers:
    """Return what `headers_to_text` was given, from what the database reads as JSON."""
    return tuple((name, None if value is None else value.encode(_ANY_BYTES)) for name, value in pairs)
