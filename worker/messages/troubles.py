"""What Pydantic found wrong, in our words: a reason, locations and codes, and never what was there."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pydantic_core import ErrorDetails

from worker.messages.refusals import ErrorAt, RefusalReason

_MOST_ERRORS = 20
_FIELDS_OF_A_UNION = frozenset({"float", "constrained-str"})  # not a place in the message


class Trouble(NamedTuple):
    """Why something was refused, and where it shows."""

    reason: RefusalReason
    errors: tuple[ErrorAt, ...]


# Looked for in this order: the first that is found names the refusal. "*" is any location.
_OF_A_MESSAGE: Sequence[tuple[str, str, RefusalReason]] = (
    ("*", "json_invalid", RefusalReason.INVALID_JSON),
    ("schema_version", "literal_error", RefusalReason.UNSUPPORTED_SCHEMA_VERSION),
    ("*", "union_tag_invalid", RefusalReason.UNKNOWN_COMMAND),
    ("readings", "too_short", RefusalReason.NO_READINGS),
    ("readings", "too_long", RefusalReason.TOO_MANY_READINGS),
    ("observed_at", "string_pattern_mismatch", RefusalReason.INVALID_TIME),
    ("issued_at", "string_pattern_mismatch", RefusalReason.INVALID_TIME),
)
_OF_A_READING: Sequence[tuple[str, str, RefusalReason]] = (
    ("vital_sign", "enum", RefusalReason.UNKNOWN_VITAL_SIGN),
)


def trouble_with_message(details: Sequence[ErrorDetails], inside: Iterable[str] = ()) -> Trouble:
    """Return why a whole message is refused; *inside* are leading words of a location that are no field."""
    errors = _located(details, frozenset(inside))
    return Trouble(_first(_OF_A_MESSAGE, errors) or RefusalReason.INVALID_MESSAGE, errors)


def trouble_with_reading(details: Sequence[ErrorDetails], position: int) -> Trouble:
    """Return why reading number *position* (from 1) does not have the shape."""
    errors = _located(details, frozenset())
    reason = _first(_OF_A_READING, errors) or RefusalReason.INVALID_READING
    return Trouble(reason, tuple(at_reading(position, error.loc, error.code) for error in errors))


def at_reading(position: int, field: str, code: str) -> ErrorAt:
    """Return where in the message *field* of reading number *position* (from 1) stands."""
    place = f"readings[{position - 1}]"
    return ErrorAt(f"{place}.{field}" if field else place, code)


def _first(
    causes: Sequence[tuple[str, str, RefusalReason]], errors: Sequence[ErrorAt]
) -> RefusalReason | None:
    for loc, code, reason in causes:
        if any(error.code == code and loc in ("*", error.loc) for error in errors):
            return reason
    return None


def _located(details: Sequence[ErrorDetails], passed_over: frozenset[str]) -> tuple[ErrorAt, ...]:
    errors = (ErrorAt(_path(detail["loc"], passed_over), detail["type"]) for detail in details)
    return tuple(dict.fromkeys(errors))[:_MOST_ERRORS]


def _path(loc: tuple[int | str, ...], passed_over: frozenset[str]) -> str:
    path = ""
    for step in loc:
        if isinstance(step, int):
            path += f"[{step}]"
        elif step not in _FIELDS_OF_A_UNION and step not in passed_over:
            path += f".{step}" if path else step
    return path
