"""A dead letter as a line of JSON, byte for byte, to be repaired elsewhere and read back."""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from persistence.dead_letter_search import FoundLetter, Place
from persistence.headers import Headers
from worker.errors import OperatorError


class Content(NamedTuple):
    """What is sent again."""

    place: Place
    key: bytes | None
    value: bytes | None
    headers: Headers


def line_of(letters: Sequence[FoundLetter]) -> bytes:
    """Return one record as a line: all dead letters that it led to are told beside its bytes."""
    first = letters[0]
    return orjson.dumps(
        {
            **first.place._asdict(),
            "received_at": first.received_at,
            "correlation_id": first.correlation_id,
            "device_id": first.device_id,
            "key": _text(first.key),
            "value": _text(first.value),
            "headers": [[name, _text(value)] for name, value in first.headers],
            "problems": [orjson.Fragment(letter.problem) for letter in letters],
        },
        option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z,
    )


def content_of_line(number: int, line: bytes) -> Content:
    """Return what line *number* holds. Raises OperatorError."""
    try:
        return _content(orjson.loads(line))
    except (KeyError, TypeError, ValueError) as error:
        raise OperatorError(
            f"line {number}: {_trouble(error)}; right is a line as `vigil dead-letters export` writes it"
        ) from None


def _content(told: Any) -> Content:  # noqa: ANN401  whatever JSON the file holds
    topic, partition, offset = told["topic"], told["partition"], told["offset"]
    if not isinstance(topic, str) or not {type(partition), type(offset)} <= {int}:
        raise TypeError("topic, partition and offset are a text and two whole numbers")
    headers = tuple((_name(name), _bytes(value)) for name, value in told["headers"])
    return Content(Place(topic, partition, offset), _bytes(told["key"]), _bytes(told["value"]), headers)


def _name(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError("the name of a header is not a text")
    return name


def _text(value: bytes | None) -> str | None:
    return None if value is None else b64encode(value).decode()


def _bytes(text: object) -> bytes | None:
    if text is not None and not isinstance(text, str):
        raise TypeError("key, value and the values of headers are base64 or null")
    return None if text is None else b64decode(text, validate=True)


def _trouble(error: Exception) -> str:
    if isinstance(error, orjson.JSONDecodeError):
        return "it is not JSON"
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    return str(error) if isinstance(error, TypeError) and "indices" not in str(error) else "it cannot be read"
