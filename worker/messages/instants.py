"""Times on the wire: RFC 3339 with a zone, in years that can be; never guessed."""

from datetime import UTC, datetime, timedelta

from worker.messages.refusals import RefusalReason

FIRST_YEAR, LAST_YEAR = 1900, 2299
"""Recordings of intensive care are published with years moved far into the future."""

FARTHEST_AHEAD = timedelta(hours=24)
"""A clock may be wrong and the patient is still watched; beyond this no received time can stand in for it."""

WIRE_PATTERN = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})?$"
)
"""A time as it is taken in; without a zone it is refused by name further on."""

RFC_3339_PATTERN = WIRE_PATTERN.replace("?$", "$")


def parse_instant(text: str) -> datetime | RefusalReason:
    """Return the instant in UTC that *text*, of the wire's pattern, names, or why it names none."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return RefusalReason.INVALID_TIME
    if instant.tzinfo is None:
        return RefusalReason.TIME_WITHOUT_ZONE
    if not FIRST_YEAR <= instant.year <= LAST_YEAR:
        return RefusalReason.TIME_OUT_OF_RANGE
    return instant if instant.tzinfo is UTC else instant.astimezone(UTC)


def not_in_future(
    told: datetime | RefusalReason, received_at: datetime, refusal: RefusalReason
) -> datetime | RefusalReason:
    """Return *told*, or *refusal* if it lies more than a day after *received_at*; exactly a day is taken."""
    if isinstance(told, datetime) and told - received_at > FARTHEST_AHEAD:
        return refusal
    return told
