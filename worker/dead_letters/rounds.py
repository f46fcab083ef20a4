"""The headers of a record that is sent again: its own as they came, and behind them what each round adds."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from domain.times import to_ms
from persistence.dead_letter_search import Place
from persistence.headers import Headers
from worker.messages.announced_words import rfc3339

REPLAY_ID_HEADER = "vigil-replay-id"
ROUND_HEADER = "vigil-replay-round"

_COUNT = re.compile(rb"[1-9][0-9]{0,3}|0")
_ANYTHING = re.compile(rb"[\x20-\x7e]{1,300}")
# In this order, and at the very end: only then a round was added by us, or by someone who did as we do.
_ADDED: Mapping[str, re.Pattern[bytes]] = {
    "dlq-original-topic": _ANYTHING,
    "dlq-original-partition": re.compile(rb"[0-9]{1,10}"),
    "dlq-original-offset": re.compile(rb"[0-9]{1,19}"),
    "dlq-original-timestamp": re.compile(rb"-?[0-9]{1,19}"),
    "dlq-first-failed-at": _ANYTHING,
    "correlation_id": re.compile(rb"[0-9a-f-]{36}"),
    "dlq-attempts": _COUNT,
    "dlq-replay-count": _COUNT,
    REPLAY_ID_HEADER: re.compile(rb"[0-9a-f-]{36}"),
    ROUND_HEADER: _COUNT,
}
_LAST_ROUND = 9_999


class Origin(NamedTuple):
    """Where a record was given up on, when it had come, and by what its lines in the log are found."""

    place: Place
    received_at: datetime
    correlation_id: UUID


def round_of(headers: Headers) -> int:
    """Return how often the record with these *headers* was sent again; whoever wrote them is not believed blindly.

    A count that does not stand where a replay puts it, among all that a replay adds, is a producer's own header.
    """
    return int(headers[-1][1] or b"0") if _has_round(headers) else 0


def original_headers(headers: Headers) -> Headers:
    """Return what of *headers* the producer wrote."""
    return headers[: -len(_ADDED)] if _has_round(headers) else headers


def headers_of_next_round(headers: Headers, origin: Origin, replay_id: UUID) -> Headers:
    """Return *headers* as they are sent in the next round: all that came stays; ours are added, or raised.

    Where the record failed first is told once and kept. Attempts and replays are those of the dead letter
    that goes back, so that the worker raises them if it must give up again.
    """
    number = min(round_of(headers) + 1, _LAST_ROUND)
    added = dict(headers[-len(_ADDED) :]) if number > 1 else _first_round(origin)
    added |= {
        "dlq-attempts": b"%d" % number,
        "dlq-replay-count": b"%d" % (number - 1),
        REPLAY_ID_HEADER: str(replay_id).encode(),
        ROUND_HEADER: b"%d" % number,
    }
    return (*original_headers(headers), *((name, added[name]) for name in _ADDED))


def _first_round(origin: Origin) -> dict[str, bytes | None]:
    return {
        "dlq-original-topic": origin.place.topic.encode(),
        "dlq-original-partition": b"%d" % origin.place.partition,
        "dlq-original-offset": b"%d" % origin.place.offset,
        "dlq-original-timestamp": b"%d" % to_ms(origin.received_at),
        "dlq-first-failed-at": rfc3339(origin.received_at).encode(),
        "correlation_id": str(origin.correlation_id).encode(),
    }


def _has_round(headers: Headers) -> bool:
    last = headers[-len(_ADDED) :]
    return [name for name, _ in last] == list(_ADDED) and all(
        value is not None and _ADDED[name].fullmatch(value) for name, value in last
    )
