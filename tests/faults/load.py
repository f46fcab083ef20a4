"""A known load: numbered, seeded messages of a ward, some of them alarming, late, repeated, contradictory or bad."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

PATIENTS = 40
READINGS_PER_SET = 5
_SILENT_PATIENTS = 12  # nothing is heard of them for a while now and then, so that timers run out
_SILENT_S, _ROUND_S = 10.0, 30.0
_SPOT_DEVICES = 12
_REMEMBERED = 400

# What is well, what asks for someone, what asks for someone now; and what no patient can have.
_SIGNS = {
    "heart_rate": (78, 138, 170, 9000, "/min"),
    "respiratory_rate": (16, 28, 40, 900, "/min"),
    "spo2": (97, 89, 76, 400, "%"),
    "systolic_pressure": (122, 86, 70, 4000, "mm[Hg]"),
    "body_temperature": (36.8, 39.4, 40.1, 99.5, "Cel"),
}
_ALARMING = 0.05
_KINDS = {  # of a hundred sets
    "repeated": 2.0,
    "contradicting": 0.5,
    "reordered": 2.0,
    "late": 0.5,
    "signal_lost": 1.0,
    "bad_reading": 1.0,
    "bad_record": 0.5,
    "stray": 2.0,  # without a key: it arrives on any partition
}
# Not in the usual load: they are most of another one.
HARD = {
    "repeated": 15.0,
    "contradicting": 5.0,
    "reordered": 20.0,
    "late": 5.0,
    "hours_late": 5.0,
    "from_the_future": 5.0,
    "from_far_in_the_future": 1.0,
    "large": 0.2,
    "too_large": 0.2,
    "signal_lost": 2.0,
    "bad_reading": 5.0,
    "bad_record": 5.0,
    "stray": 5.0,
}
_PADDING = {"large": 60_000, "too_large": 950_000}  # about the most that is taken, and that is sent
_SECONDS_AGO = {
    "reordered": (1.0, 40.0),
    "late": (90.0, 900.0),
    "hours_late": (3600.0, 20 * 3600.0),
    "from_the_future": (-3600.0, -1.0),
    "from_far_in_the_future": (-72 * 3600.0, -48 * 3600.0),  # more than a day: refused
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of the load, and what Vigil cannot use of it: positions from 1, 0 for all of it."""

    number: int
    topic: str
    key: str | None
    value: bytes | None
    bad: frozenset[int] = frozenset()
    is_strange: bool = False  # nobody knows beforehand what can be used of it: the decoders are asked


class Load:
    """Messages without end; the same seed gives the same, but for the time they are sent at."""

    def __init__(
        self, seed: int, *, patients: int = PATIENTS, kinds: Mapping[str, float] | None = None
    ) -> None:
        """*kinds* says how many of a hundred sets are what; the others are plain."""
        self._random = Random(seed)
        self._seed = seed
        self._patients = patients
        self._kinds = {"plain": 0.0, **(_KINDS if kinds is None else kinds)}
        self._kinds["plain"] = 100 - sum(self._kinds.values())
        self._number = 0
        self._recent: list[dict[str, object]] = []
        self._episodes: dict[tuple[str, str], int] = {}  # sets that still alarm, by patient and sign

    def admissions(self, now: datetime) -> Iterator[Message]:
        """Every patient in a bed; no ward has enough silent monitors to be told about as a whole."""
        for index in range(self._patients):
            yield self._command(index, "admit", now)

    def next_message(self, now: datetime, elapsed_s: float) -> Message:
        """The next message, observed about *now*, *elapsed_s* after the load began."""
        if self._random.random() < 0.002:
            return self._command(self._random.randrange(self._patients), "move", now)
        (kind,) = self._random.choices([*self._kinds], [*self._kinds.values()])
        if kind == "bad_record":
            return self._bad_record()
        if kind in ("repeated", "contradicting") and self._recent:
            return self._again(kind)
        body = self._set(kind, now, elapsed_s)
        body |= (
            {"note": "x" * _PADDING[kind]} if kind in _PADDING else {}
        )  # unknown to the schema, and passed over
        message = self._message(body, bad=self._bad_positions(kind, body))
        self._recent = [*self._recent[-_REMEMBERED:], body] if not message.bad else self._recent
        return replace(message, key=None) if kind == "stray" else message

    def _set(self, kind: str, now: datetime, elapsed_s: float) -> dict[str, object]:
        random = self._random
        is_spot_check = random.random() < 0.2
        index = random.randrange(self._patients)
        while _is_silent(index, elapsed_s):
            index = random.randrange(self._patients)
        patient = self._patient(index)
        device = f"spot-{index}-{random.randrange(_SPOT_DEVICES)}" if is_spot_check else f"monitor-{index}"
        ago = random.uniform(*_SECONDS_AGO.get(kind, (0, 0.2)))
        readings = [self._reading(patient, sign, is_lost=kind == "signal_lost") for sign in _SIGNS]
        return {
            "schema_version": 1,
            "patient_id": patient,
            "device_id": device,
            "observed_at": (now - timedelta(seconds=ago)).isoformat(timespec="milliseconds"),
            "acquisition": "spot_check" if is_spot_check else "continuous",
            "readings": readings,
        }

    def _reading(self, patient: str, sign: str, *, is_lost: bool) -> dict[str, object]:
        well, medium, high, _, unit = _SIGNS[sign]
        if is_lost:
            return {"vital_sign": sign, "value": None, "unit": unit}
        left = self._episodes.get((patient, sign), 0)
        if not left and self._random.random() < _ALARMING / 6:
            left = self._random.randint(2, 10)
        self._episodes[patient, sign] = max(0, left - 1)
        value = well if not left else high if left % 4 == 0 else medium
        return {"vital_sign": sign, "value": value + self._random.randint(0, 3), "unit": unit}

    def _again(self, kind: str) -> Message:
        """What was sent a while ago once more, or with another value for one of its signs."""
        body = self._random.choice(self._recent)
        if kind == "contradicting":
            readings = [dict(each) for each in body["readings"]]  # type: ignore[attr-defined]
            readings[3]["value"] = 100 + self._random.randint(0, 40) + self._random.random()
            body = {**body, "readings": readings}
        return self._message(body)

    def _bad_positions(self, kind: str, body: dict[str, object]) -> frozenset[int]:
        if kind in ("too_large", "from_far_in_the_future"):
            return frozenset({0})
        return self._spoil(body) if kind == "bad_reading" else frozenset()

    def _spoil(self, body: dict[str, object]) -> frozenset[int]:
        readings = list(body["readings"])  # type: ignore[call-overload]
        position = self._random.randrange(len(readings))
        sign = readings[position]["vital_sign"]
        readings[position] = {**readings[position], "value": _SIGNS[sign][3]}
        body["readings"] = readings
        return frozenset({position + 1})

    def _bad_record(self) -> Message:
        value = self._random.choice([None, b"", b"\xff\xfe", b"{", b"[1, 2", b'{"schema_version": 1}'])
        return Message(
            number=self._next(), topic="readings", key=self._patient(0), value=value, bad=frozenset({0})
        )

    def _command(self, index: int, command: str, now: datetime) -> Message:
        patient = self._patient(index)
        body = {
            "schema_version": 1,
            "command": command,
            "command_id": str(UUID(int=self._random.getrandbits(128), version=4)),
            "patient_id": patient,
            "issued_at": now.isoformat(timespec="milliseconds"),
            "ward": f"w{index % (self._patients // 2)}",
            "bed": str(self._random.randint(1, 9)),
        }
        return Message(number=self._next(), topic="commands", key=patient, value=json.dumps(body).encode())

    def _message(self, body: dict[str, object], bad: frozenset[int] = frozenset()) -> Message:
        number = self._next()
        value = {**body, "message_id": f"{self._seed}-{number:08}"}
        return Message(
            number=number,
            topic="readings",
            key=str(body["patient_id"]),
            value=json.dumps(value).encode(),
            bad=bad,
        )

    def _patient(self, index: int) -> str:
        return f"p{self._seed}-{index:03}"

    def _next(self) -> int:
        self._number += 1
        return self._number


def _is_silent(index: int, elapsed_s: float) -> bool:
    turn_s = (elapsed_s + index * _ROUND_S / _SILENT_PATIENTS) % _ROUND_S
    return index < _SILENT_PATIENTS and turn_s < _SILENT_S


def now() -> datetime:
    return datetime.now(UTC)
