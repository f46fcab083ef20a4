"""A refusal becomes a dead letter: the record as it came, and why it could not be used."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from persistence.dead_letters import DeadLetterRow
from persistence.outbox import OutgoingRecord
from worker.messages.announced_words import rfc3339
from worker.messages.records import Record, time_in_log
from worker.messages.refusals import EXPLANATIONS, ErrorAt, Refusal
from worker.messages.sizes import LARGEST_RECORD, fitted

Headers = tuple[tuple[str, bytes | None], ...]

_TIMESTAMP_TYPES: Mapping[object, str] = {0: "CreateTime", 1: "LogAppendTime"}
# Where a record came from is told once, by whoever gave up on it first.
_ORIGIN = frozenset(
    {
        "dlq-original-topic",
        "dlq-original-partition",
        "dlq-original-offset",
        "dlq-original-timestamp",
        "dlq-original-timestamp-type",
        "dlq-first-failed-at",
    }
)
_COUNTED = frozenset({"dlq-attempts", "dlq-replay-count", "dlq-last-failed-at"})  # raised, not repeated
_MOST_DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenUpBy:
    """Who gave up on the record: consumer group, version of the worker, hash of the protocol in force."""

    group: str
    version: str
    protocol_hash: str


def dead_letter_record(
    record: Record, refusal: Refusal, by: GivenUpBy
) -> tuple[DeadLetterRow, OutgoingRecord]:
    """Return the row that keeps the record whatever its size, and the record for the dead-letter topic.

    Value, key and headers stay as they came. One too large for a broker goes out without its value, and
    says how large it was; the row has it. The time of failure is the record's own received time, so that
    the same record gives the same bytes.
    """
    failed_at = time_in_log(record)
    told = problem(record, refusal)
    kept, added = _headers(record, refusal, told, by, failed_at)
    row = DeadLetterRow(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        position=refusal.position,
        received_at=failed_at,
        stage=str(refusal.stage),
        reason=str(refusal.reason),
        key=record.key,
        value=record.value,
        headers=tuple(record.headers),
        problem=orjson.dumps(told).decode(),
        device_id=refusal.device_id,
        correlation_id=refusal.correlation_id,
    )
    return row, _outgoing(record, kept, added, failed_at)


def problem(record: Record, refusal: Refusal) -> dict[str, Any]:
    """Return the problem (RFC 9457) that *refusal* is, without any value of the record."""
    explanation = EXPLANATIONS[refusal.reason]
    whole = refusal.position == 0
    return {
        "type": f"urn:vigil:problem:{refusal.reason}",
        "title": explanation.title,
        "status": explanation.status,
        "detail": "The record was not used."
        if whole
        else f"Reading {refusal.position} of the set was not used; the others were judged on their own.",
        "instance": f"/{record.topic}/{record.partition}/{record.offset}",
        "reason": str(refusal.reason),
        "position": refusal.position,
        "errors": _errors(refusal.errors),
    }


def _errors(errors: Iterable[ErrorAt]) -> list[dict[str, str]]:
    return [{"loc": error.loc, "code": str(error.code)} for error in errors]


def _headers(
    record: Record, refusal: Refusal, told: dict[str, Any], by: GivenUpBy, failed_at: datetime
) -> tuple[Headers, Headers]:
    """Return the record's headers that stay, and ours.

    What is there stays; where it came from first is not told twice; only the counts are replaced. Of two
    headers with one name the last counts, as everywhere in Kafka.
    """
    came = tuple(record.headers)
    present = {name for name, _ in came}
    ours = _origin(record, failed_at) | _failure(refusal, told, by) | _counts(came, failed_at)
    kept = tuple(header for header in came if header[0] not in _COUNTED)
    told_already = present & _ORIGIN
    added = ((name, text.encode()) for name, text in ours.items() if name not in told_already)
    return kept, tuple(header for header in added if header not in kept)


def _origin(record: Record, failed_at: datetime) -> dict[str, str]:
    kind = _TIMESTAMP_TYPES.get(getattr(record, "timestamp_type", None))
    return {
        "dlq-original-topic": record.topic,
        "dlq-original-partition": str(record.partition),
        "dlq-original-offset": str(record.offset),
        "dlq-original-timestamp": str(record.timestamp),
        "dlq-first-failed-at": rfc3339(failed_at),
    } | ({"dlq-original-timestamp-type": kind} if kind else {})


def _failure(refusal: Refusal, told: dict[str, Any], by: GivenUpBy) -> dict[str, str]:
    return {
        "dlq-consumer-group": by.group,
        "dlq-stage": str(refusal.stage),
        "dlq-exception-class": str(refusal.reason),
        "dlq-exception-message": told["title"],
        "dlq-errors": orjson.dumps(told["errors"]).decode(),
        "dlq-problem": orjson.dumps(told).decode(),
        "dlq-position": str(refusal.position),
        "dlq-worker-version": by.version,
        "dlq-ruleset-hash": by.protocol_hash,
        "correlation_id": str(refusal.correlation_id),
    }


def _counts(came: Headers, failed_at: datetime) -> dict[str, str]:
    """Return how often this record has failed, and how often it came back to be tried again."""
    is_back = any(name in _ORIGIN for name, _ in came)
    return {
        "dlq-attempts": str(_count(came, "dlq-attempts") + 1),
        "dlq-replay-count": str(_count(came, "dlq-replay-count") + is_back),
        "dlq-last-failed-at": rfc3339(failed_at),
    }


def _count(came: Headers, name: str) -> int:
    """Return the count in the last such header; anyone may have written it."""
    for key, value in reversed(came):
        if key == name:
            return int(value) if value and len(value) <= _MOST_DIGITS and value.isdigit() else 0
    return 0


def _outgoing(record: Record, kept: Headers, added: Headers, failed_at: datetime) -> OutgoingRecord:
    """Return the dead letter, without what would make it too large for a broker, and with a word on that."""
    whole = OutgoingRecord(
        topic="dead_letters",
        key=record.key,
        value=record.value,
        headers=(*kept, *added),
        received_at=failed_at,
    )
    return fitted(whole, LARGEST_RECORD)
