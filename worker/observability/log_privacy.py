"""The last guard for privacy: whatever could name a patient or tell a value never leaves in a log line."""

from collections.abc import Mapping

from structlog.typing import EventDict, WrappedLogger

# Whoever logs one of these has made a mistake; here it ends. Counts (readings=42) are welcome.
FORBIDDEN_KEYS = frozenset({
    "patient", "patient_id", "patient_ids", "patient_key", "patients_seen", "full_name", "patient_name", "birth_date",
    "birth_year", "sex", "bed", "value", "values", "payload", "body", "raw", "raw_message", "message", "msg", "record",
    "headers", "key", "input", "input_value", "reading", "observation", "observation_set", "chart", "form", "alert",
    "title", "parameters", "params", "args", "password", "secret", "token", "database_url", "sasl_password",
})  # fmt: skip
DROPPED = "dropped_fields"


def drop_forbidden(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Remove what may never be in a log, at any depth, and say which fields were removed."""
    dropped: set[str] = set()
    kept = _without_forbidden(event, dropped)
    if dropped:
        kept[DROPPED] = sorted(dropped)
    return kept


def _without_forbidden(fields: Mapping[str, object], dropped: set[str]) -> dict[str, object]:
    dropped.update(str(name) for name in fields if _is_forbidden(name))
    return {str(name): _cleaned(value, dropped) for name, value in fields.items() if not _is_forbidden(name)}


def _cleaned(value: object, dropped: set[str]) -> object:
    if isinstance(value, Mapping):
        return _without_forbidden(value, dropped)
    if isinstance(value, list | tuple | set | frozenset):
        return [_cleaned(inner, dropped) for inner in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    return value


def _is_forbidden(name: object) -> bool:
    return str(name).lower() in FORBIDDEN_KEYS
