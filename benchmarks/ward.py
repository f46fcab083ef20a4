"""A ward's readings: seven signs in turn from every bed, a few of them alarming; seeded, and without a clock."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

SIGNS = (
    "respiratory_rate",
    "spo2",
    "oxygen_therapy",
    "systolic_pressure",
    "pulse",
    "consciousness",
    "body_temperature",
)
UNITS = {
    "respiratory_rate": "/min",
    "spo2": "%",
    "systolic_pressure": "mm[Hg]",
    "pulse": "/min",
    "body_temperature": "Cel",
}
# Values that violate no limit of `ward-adult` and score nothing.
_ORDINARY: dict[str, Sequence[float | str]] = {
    "respiratory_rate": range(14, 20),
    "spo2": range(96, 100),
    "oxygen_therapy": ("air",),
    "systolic_pressure": range(114, 137),
    "pulse": range(64, 89),
    "consciousness": ("A",),
    "body_temperature": [tenths / 10 for tenths in range(364, 375)],
}
# Values that start an alarm at once under `ward-adult`, and for how long the sign is left alone after
# one: SpO2 must be back for 30 s before its alarm ends, the others end with the next reading.
ALARMING: dict[str, Sequence[float | str]] = {
    "spo2": (79, 78, 77, 75, 73),
    "systolic_pressure": (79, 77, 74, 70, 66),
    "body_temperature": (39.2, 39.4, 39.7, 40.1),
    "consciousness": ("P", "U"),
}
_REST_MS = {"spo2": 45_000}
_REST_OF_OTHERS_MS = 20_000


@dataclass(frozen=True, slots=True)
class Message:
    """One observation set as it goes to Kafka."""

    patient_id: str
    observed_ms: int
    value: bytes
    is_alarming: bool


class Ward:
    """So many patients, each with one monitor; *alarming_share* of the readings start an alarm."""

    def __init__(self, patients: int, *, alarming_share: float, seed: int = 1) -> None:
        self.patients = patients
        self._share = alarming_share
        self._random = random.Random(seed)
        self._owed = 0.0
        self._sent = 0
        self._rests_until: dict[tuple[int, str], int] = {}

    def full_sets(self, at_ms: int) -> Iterator[Message]:
        """Yield a set of all seven signs for each patient, a millisecond apart."""
        for patient in range(self.patients):
            values = {sign: self._ordinary(sign) for sign in SIGNS}
            yield self._message(patient, at_ms + patient, values, is_alarming=False)

    def next_reading(self, at_ms: int) -> Message:
        """Return the next patient's next sign: patients take turns, and so do the signs of each."""
        turn, patient = divmod(self._sent, self.patients)
        sign = SIGNS[(turn + patient) % len(SIGNS)]
        self._sent += 1
        self._owed += self._share
        is_alarming = self._owed >= 1 and self._may_alarm(patient, sign, at_ms)
        if is_alarming:
            self._owed -= 1
            self._rests_until[patient, sign] = at_ms + _REST_MS.get(sign, _REST_OF_OTHERS_MS)
        value = self._random.choice(ALARMING[sign]) if is_alarming else self._ordinary(sign)
        return self._message(patient, at_ms, {sign: value}, is_alarming=is_alarming)

    def _may_alarm(self, patient: int, sign: str, at_ms: int) -> bool:
        return sign in ALARMING and at_ms >= self._rests_until.get((patient, sign), 0)

    def _ordinary(self, sign: str) -> float | str:
        return self._random.choice(_ORDINARY[sign])

    def _message(
        self, patient: int, at_ms: int, values: dict[str, float | str], *, is_alarming: bool
    ) -> Message:
        patient_id = f"P-{patient:04d}"
        body = {
            "schema_version": 1,
            "message_id": str(UUID(int=self._random.getrandbits(128), version=4)),
            "patient_id": patient_id,
            "device_id": f"mon-{patient:04d}",
            "observed_at": iso(at_ms),
            "acquisition": "continuous",
            "readings": [_reading(sign, value) for sign, value in values.items()],
        }
        return Message(patient_id, at_ms, orjson.dumps(body), is_alarming)


def _reading(sign: str, value: float | str) -> dict[str, Any]:
    if isinstance(value, str):
        return {"vital_sign": sign, "value": value}
    return {"vital_sign": sign, "value": value, "unit": UNITS[sign]}


def iso(at_ms: int) -> str:
    """Write *at_ms* (milliseconds since 1970) as RFC 3339."""
    seconds, ms = divmod(at_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{ms:03d}Z"


def ms_of(instant: str) -> int:
    """Read an RFC 3339 instant as milliseconds since 1970."""
    moment = datetime.fromisoformat(instant)
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000
