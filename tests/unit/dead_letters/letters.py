"""A dead letter as the database tells it, filled in."""

from datetime import UTC, datetime
from uuid import UUID

from persistence.dead_letter_search import FoundLetter, Place

HOSTILE = (("reply_to", b"x"), ("null", None), ("bytes", b"\xff\x00"), ("bytes", b"twice"), ("\x1b[2J", b""))


def a_letter(**changes):
    letter = FoundLetter(
        place=Place("vitals.readings.v1", 3, 4711),
        position=0,
        received_at=datetime(2026, 11, 23, 10, 15, 2, tzinfo=UTC),
        stage="decode",
        reason="invalid_json",
        key=b"P-0042",
        value=b"\xff\x00 Mabel",
        key_size=6,
        value_size=8,
        headers=HOSTILE,
        problem='{"title":"The value is not a JSON document in UTF-8.","errors":[]}',
        device_id=None,
        correlation_id=UUID(int=1),
        replayed=None,
    )
    return letter._replace(**changes)
