"""A lane's sign of life becomes a record."""

from dataclasses import dataclass
from datetime import datetime

import orjson

from worker.messages.announced_words import rfc3339


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """How a lane stands; *lag_seconds* is None where it is not known."""

    lane: int
    published_seq: int
    last_seq: int
    instance: str
    protocol_hash: str
    is_degraded: bool
    lag_seconds: float | None
    at: datetime


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
    }
    return str(beat.lane).encode(), orjson.dumps(value), (("content-type", b"application/json"),)
