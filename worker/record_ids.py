"""By what an outgoing record is known again, in the outbox or on its topic, whatever number it bears."""

from collections.abc import Iterable
from hashlib import blake2b
from uuid import UUID, uuid5

import orjson

_STATES = UUID("0d1f6a52-1d1c-5a0e-8a53-0a4f6f3f8d11")
_DEAD_LETTERS = UUID("5f7b1b7e-6c0c-5c63-9d0b-6a2c7f0c9e42")

_MOST_DIGITS = 20

Headers = Iterable[tuple[str, bytes | None]]


def record_id_of(role: str, key: bytes | None, value: bytes | None, headers: Headers) -> UUID:
    """The id of a record that plays *role*; the same history gives the same id again after a restore.

    An alert has its `ce_id`; an alarm's state goes by the alert that it belongs to, a dead letter by the
    record it was made of. What bears none of these goes by its content.
    """
    told = dict(headers)  # of two headers with one name the last counts
    try:
        return _told_id(role, told)
    except (KeyError, TypeError, ValueError):
        told.pop("ce_sequence", None)
        parts = [role, (key or b"").hex(), None if value is None else value.hex()]
        pairs = sorted((name, None if text is None else text.hex()) for name, text in told.items())
        return UUID(bytes=blake2b(orjson.dumps([parts, pairs]), digest_size=16).digest())


def number_of(headers: Headers) -> int:
    """The number the publisher gave a record that is out; 0 if it bears none, so that it was not ours."""
    text = dict(headers).get("ce_sequence") or b""
    return int(text) if text.isdigit() and len(text) <= _MOST_DIGITS else 0


def state_id_of(alert_id: UUID) -> UUID:
    """The id of the record that keeps an alarm's state as of the alert *alert_id*."""
    return uuid5(_STATES, str(alert_id))


def _told_id(role: str, told: dict[str, bytes | None]) -> UUID:
    if role == "dead_letters":
        problem = orjson.loads(told["dlq-problem"] or b"")
        return uuid5(_DEAD_LETTERS, f"{problem['instance']}\x1f{problem['position']}")
    if role == "alarm_state":
        return state_id_of(_uuid(told["alert_id"]))
    return _uuid(told["ce_id"])


def _uuid(text: bytes | None) -> UUID:
    return UUID((text or b"").decode("ascii"))
