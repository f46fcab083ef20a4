"""Records that nobody should send: random bytes, valid messages spoilt, hostile keys and headers; seeded."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any
from uuid import UUID

from tests.faults.load import Load

Headers = list[tuple[str, bytes | None]]

_ODD: list[Any] = [
    None, True, False, 0, -1, 1.5, 1e308, -1e308, 2**70, 8388607, "", " ", "\x00", "\ud800", "A" * 70, "é\u0301", "NaN",
    "1e5", [], {}, [None], {"a": {}}, [[[[[[[[[]]]]]]]]], "2026-13-45", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00",
    "1970-01-01T00:00:00Z", "2026-11-23T10:15:00", "2099-01-01T00:00:00Z", "air", "U", "mm[Hg]", "[degF]", "/min",
    "continuous", "test", "demo", "invalid", "absent", "heart_rate", "spo2", "../../etc", "'; DROP TABLE readings; --",
]  # fmt: skip
_NAMES = [
    "correlation_id", "reply_to", "content-type", "traceparent", "ce_id", "ce_type", "dlq-attempts", "dlq-replay-count",
    "dlq-original-topic", "dlq-original-offset", "dlq-problem", "dlq-position", "vigil-received-at", "vigil-replay-round",
    "vigil-replay-id", "", "\x00", "\x1b[2J", "na\u00efve", "\U0001f4a3", "x" * 300, "twice", "twice",
]  # fmt: skip
_KEYS = [None, b"", b"\x00", b"\xff\xfe", b"fz-001", b"p-1", "é".encode(), b"k" * 500]
_TOO_LARGE = 70_000


@dataclass(frozen=True, slots=True)
class Oddity:
    """One record; *topic* is readings or commands."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers


class Fuzz:
    """Oddities without end, of patients of their own; the same seed gives the same, but for the time."""

    def __init__(self, seed: int) -> None:
        self._random = Random(f"fuzz {seed}")
        self._ward = _OtherWard(seed)

    def next_oddity(self, now: datetime) -> Oddity:
        """A quarter is noise, the rest was a message of ours before it was spoilt; a few are left as they were."""
        random = self._random
        topic = "commands" if random.random() < 0.1 else "readings"
        value = self._noise() if random.random() < 0.25 else self._spoilt(topic, now)
        return Oddity(topic, self._key(), value, self._headers())

    def _noise(self) -> bytes | None:
        random = self._random
        kind = random.randrange(20)
        if kind == 0:
            return None
        if kind == 1:
            return b""
        if kind == 2 and random.random() < 0.05:
            return random.randbytes(_TOO_LARGE)
        if kind == 3:
            return b"[" * random.randint(1, 5_000)
        return random.randbytes(random.randint(1, 400))

    def _spoilt(self, topic: str, now: datetime) -> bytes:
        random = self._random
        message = self._command(now) if topic == "commands" else self._ward.message(now)
        kind = random.random()
        if kind < 0.05:
            return json.dumps(message).encode()
        if kind < 0.55:
            for _ in range(random.randint(1, 3)):
                _replace_somewhere(message, random)
            return json.dumps(message, ensure_ascii=random.random() < 0.5).encode(errors="surrogatepass")
        return self._scrambled(json.dumps(message).encode())

    def _scrambled(self, text: bytes) -> bytes:
        """Bytes turned, cut off, put in, sent twice."""
        random = self._random
        place = random.randrange(len(text))
        match random.randrange(5):
            case 0:
                return text[:place] + bytes([text[place] ^ 1 << random.randrange(8)]) + text[place + 1 :]
            case 1:
                return text[:place]
            case 2:
                return text[:place] + random.randbytes(random.randint(1, 8)) + text[place:]
            case 3:
                return text[:place] + text[random.randrange(len(text)) :]
            case _:
                return text + text

    def _command(self, now: datetime) -> dict[str, Any]:
        """One that admits nobody: a ward of odd patients would be told about as a whole."""
        random = self._random
        return {
            "schema_version": 1,
            "command": random.choice(["move", "discharge", "acknowledge_alarm", "close_alarm"]),
            "command_id": str(UUID(int=random.getrandbits(128), version=4)),
            "patient_id": f"fz-{random.randrange(50):03}",
            "issued_at": now.isoformat(timespec="milliseconds"),
            "issued_by": "n-1",
            "alarm_id": str(UUID(int=random.getrandbits(128), version=4)),
            "ward": "fz",
            "bed": "1",
            "reason": "seen",
        }

    def _key(self) -> bytes | None:
        return self._random.choice([*_KEYS, self._random.randbytes(8)])

    def _headers(self) -> Headers:
        random = self._random
        return [(name, self._text(name)) for name in random.choices(_NAMES, k=random.choice((0, 0, 1, 3, 8)))]

    def _text(self, name: str) -> bytes | None:
        random = self._random
        if name == "correlation_id" and random.random() < 0.3:
            return str(UUID(int=random.getrandbits(128), version=4)).encode()
        return random.choice([None, b"", b"1", b"-1", b"\xff\x00", b"{", b"x" * 2_000, random.randbytes(20)])


class _OtherWard(Load):
    """The load's messages about patients that it does not have."""

    def message(self, now: datetime) -> dict[str, Any]:
        body = self._set("plain", now, 0.0)
        return {
            **body,
            "message_id": f"fz-{self._next()}",
            "readings": [dict(each) for each in body["readings"]],
        }  # type: ignore[attr-defined]

    def _patient(self, index: int) -> str:
        return f"fz-{index:03}"


def _replace_somewhere(message: dict[str, Any], random: Random) -> None:
    """Put an odd value, or nothing, or something too many, into *message* or one of its readings."""
    place = random.choice([message, *_readings_of(message)])
    if not place or random.random() < 0.1:
        place[random.choice(["unknown", "mode", "validity", "site", "device", "sex"])] = random.choice(_ODD)
    elif random.random() < 0.2:
        del place[random.choice(list(place))]
    elif random.random() < 0.02:
        message["readings"] = [*_readings_of(message)] * 40
    else:
        place[random.choice(list(place))] = random.choice(_ODD)


def _readings_of(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    readings = message.get("readings")
    if isinstance(readings, list):
        yield from (each for each in readings if isinstance(each, dict))
