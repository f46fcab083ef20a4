"""How large a record is, and what a dead letter leaves out where a broker takes none that large."""

from dataclasses import replace

from persistence.outbox import OutgoingRecord

LARGEST_RECORD = 900_000
"""Bytes; below Kafka's default of 1 MB, with room for what the record's own framing takes."""

SMALLEST_LIMIT = 4_000
"""Bytes; below that not even our own headers fit."""

_FRAMING = 10  # bytes around a header, at most
_LONGEST_OF_OURS = 250
_PROBLEM = "dlq-problem"  # by this a repair knows the record again
_OURS = frozenset(
    {
        *("dlq-original-topic", "dlq-original-partition", "dlq-original-offset", "dlq-original-timestamp"),
        *("dlq-original-timestamp-type", "dlq-first-failed-at", "dlq-last-failed-at", "dlq-consumer-group"),
        *("dlq-stage", "dlq-exception-class", "dlq-exception-message", "dlq-position", "dlq-worker-version"),
        *("dlq-ruleset-hash", "dlq-attempts", "dlq-replay-count", "correlation_id", "dlq-value-omitted"),
    }
)


def size_of(record: OutgoingRecord) -> int:
    """Bytes of key, value and headers, with what frames these."""
    framed = sum(len(name.encode()) + len(text or b"") + _FRAMING for name, text in record.headers)
    return len(record.key or b"") + len(record.value or b"") + framed


def fitted(record: OutgoingRecord, largest: int) -> OutgoingRecord:
    """*record*, if it is a dead letter too large for *largest* bytes without its value, then all but our headers, then its key.

    Each is replaced by a header that says how much there was; the database has all of it. Anything else stays as it is.
    """
    if record.topic != "dead_letters":
        return record
    for smaller in (_without_value, _without_headers, _without_key):
        if size_of(record) <= largest:
            return record
        record = smaller(record)
    return record


def _without_value(record: OutgoingRecord) -> OutgoingRecord:
    if record.value is None:
        return record
    return replace(record, value=None, headers=(*record.headers, _told("value", len(record.value))))


def _without_headers(record: OutgoingRecord) -> OutgoingRecord:
    # The last of a name counts, as everywhere; and whoever sent the record may have used our names as well.
    ours = {
        name: text
        for name, text in record.headers
        if name == _PROBLEM or (name in _OURS and len(text or b"") <= _LONGEST_OF_OURS)
    }
    return replace(record, headers=(*ours.items(), _told("headers", len(record.headers) - len(ours))))


def _without_key(record: OutgoingRecord) -> OutgoingRecord:
    if record.key is None:
        return record
    return replace(record, key=None, headers=(*record.headers, _told("key", len(record.key))))


def _told(what: str, size: int) -> tuple[str, bytes]:
    return f"dlq-{what}-omitted", str(size).encode()
