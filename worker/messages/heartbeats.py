"""A lane's sign of life becomes a record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from domain.watch import WatchState
from persistence.watching import Counted
from worker.messages.announced_words import rfc3339


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """How a lane stands; *lag_seconds* and *patients* are None where they are not known."""

    lane: int
    published_seq: int
    last_seq: int
    instance: str
    protocol_hash: str
    is_degraded: bool
    lag_seconds: float | None
    at: datetime
    patients: Sequence[Counted] | None = None


def heartbeat_record(beat: Heartbeat) -> tuple[bytes, bytes, tuple[tuple[str, bytes], ...]]:
    """Return key, value and headers of the record that says that the lane is alive."""
    value = {
        "schema_version": 1,
        "lane": beat.lane,
        "published_seq": beat.published_seq,
        "last_seq": beat.last_seq,
        "instance": beat.instance,
        "protocol_hash": beat.protocol_hash,
        "degraded": beat.is_degraded,
        "lag_seconds": beat.lag_seconds,
        "at": rfc3339(beat.at),
        "patients": None if beat.patients is None else _by_ward(beat.patients),
    }
    return str(beat.lane).encode(), orjson.dumps(value), (("content-type", b"application/json"),)


def _by_ward(counted: Sequence[Counted]) -> list[dict[str, object]]:
    """One entry for each ward, and nothing of who lies there."""
    told: dict[tuple[str, str], dict[str, object]] = {}
    numbers = {(each.ward, each.mode, each.state): 0 for each in counted}
    for (
        each
    ) in counted:  # a ward may stand there twice in one state: as its chart tells, and as its lane does
        numbers[each.ward, each.mode, each.state] += each.patients
    for (ward, mode, state), number in sorted(numbers.items()):
        entry = told.setdefault(
            (ward, mode), {"ward": ward, "mode": mode} | {word.value: 0 for word in WatchState}
        )
        entry[state.value] = number
    return list(told.values())
