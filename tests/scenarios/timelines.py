"""Read the hand-written timelines: messages as they go over the wire, and the alerts that must come of them.

The format is told in timelines/README.md. Nothing of Vigil's own code is imported here.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

BEGIN = datetime(2026, 6, 1, 8, tzinfo=UTC)
FOLDER = Path(__file__).parent / "timelines"
UNITS = {
    "heart_rate": "/min",
    "pulse": "/min",
    "respiratory_rate": "/min",
    "spo2": "%",
    "body_temperature": "Cel",
    "systolic_pressure": "mm[Hg]",
    "diastolic_pressure": "mm[Hg]",
    "mean_pressure": "mm[Hg]",
    "consciousness": None,
    "oxygen_therapy": "L/min",
    "gcs": "{score}",
}
TABLES = {"streamed", "spot_check", "command", "alert", "story", "mode"}
EXPECTED = {"at", "within", "phase", "rule", "priority", "kind", "flags", "reason", "topic"}


@dataclass(frozen=True)
class Message:
    """One message: when the log receives it, for which topic, and what it says.

    *answers* is set for a command about an alarm: the rule of the alarm that it names.
    """

    received: float
    topic: str
    value: Mapping[str, Any]
    answers: str | None = None

    @property
    def received_at(self) -> datetime:
        return instant(self.received)


@dataclass(frozen=True)
class Timeline:
    """One story."""

    name: str
    told: Mapping[str, Any]

    @property
    def expected(self) -> list[Mapping[str, Any]]:
        return list(self.told.get("alert", ()))

    @property
    def mode(self) -> str:
        return str(self.told.get("mode", "real"))

    def messages(self, patient_id: str, mode: str | None = None) -> list[Message]:
        """The story told of one patient, in the order in which the log receives it."""
        mode = mode or self.mode
        told = [
            *(_command(each, patient_id, mode) for each in self.told.get("command", ())),
            *_streams(self.told.get("streamed", ()), patient_id, mode),
            *_rounds(self.told.get("spot_check", ()), patient_id, mode),
        ]
        return sorted(told, key=lambda message: message.received)


def timelines() -> list[Timeline]:
    return [load(path) for path in sorted(FOLDER.glob("*.toml"))]


def load(path: Path) -> Timeline:
    told = tomllib.loads(path.read_text())
    unknown = set(told) - TABLES
    unknown |= {key for alert in told.get("alert", ()) for key in set(alert) - EXPECTED}
    if unknown:
        raise ValueError(f"{path.name}: nobody knows what {', '.join(sorted(unknown))} means")
    return Timeline(path.stem, told)


def instant(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def difference(expected: Mapping[str, Any], said: Mapping[str, Any]) -> str | None:
    """Where an alert is not the expected one; *said* has the wire's words and `at` in seconds."""
    earliest, latest = expected.get("within", (expected.get("at"), expected.get("at")))
    if not earliest <= said["at"] <= latest:
        return f"at {said['at']:g} s, not {earliest} to {latest}"
    if not said["rule"].startswith(expected["rule"]):
        return f"rule {said['rule']}, not {expected['rule']}"
    for name in ("phase", "priority", "kind", "reason", "topic"):
        if name in expected and said[name] != expected[name]:
            return f"{name} {said[name]}, not {expected[name]}"
    if "flags" in expected and set(said["flags"]) != set(expected["flags"]):
        return f"flags {said['flags']}, not {expected['flags']}"
    return None


def differences(expected: list[Mapping[str, Any]], said: list[Mapping[str, Any]]) -> list[str]:
    """Everything that is not as it must be: the expected list is complete and in order."""
    told = [f"alert {number}: {why}" for number, (wanted, given) in enumerate(zip(expected, said, strict=False), 1)
            if (why := difference(wanted, given))]  # fmt: skip
    told += [f"never said: {wanted}" for wanted in expected[len(said) :]]
    told += [f"should not have been said: {given}" for given in said[len(expected) :]]
    return told


def _streams(streams: list[Mapping[str, Any]], patient_id: str, mode: str) -> Iterator[Message]:
    for stream in streams:
        every = stream.get("every", 1)
        for number in range(int((stream["to"] - stream["from"]) // every) + 1):
            at = stream["from"] + number * every
            yield from _sets(stream, at, number, patient_id, mode, acquisition="continuous", device="monitor")


def _rounds(rounds: list[Mapping[str, Any]], patient_id: str, mode: str) -> Iterator[Message]:
    for each in rounds:
        yield from _sets(each, each["at"], 0, patient_id, mode, acquisition="spot_check", device="trolley")


def _sets(
    told: Mapping[str, Any],
    at: float,
    number: int,
    patient_id: str,
    mode: str,
    *,
    acquisition: str,
    device: str,
) -> Iterator[Message]:
    device_id = told.get("device", device)
    readings = [_reading(sign, told[sign], number) for sign in UNITS if sign in told]
    readings += told.get("also", ())
    observed_at = instant(at + told.get("clock_ahead", 0)).isoformat()
    value = {
        "schema_version": 1,
        "message_id": str(uuid5(NAMESPACE_URL, f"{patient_id} {device_id} {observed_at} {readings}")),
        "patient_id": patient_id,
        "device_id": device_id,
        "observed_at": observed_at,
        "acquisition": acquisition,
        "mode": mode,
        "readings": readings,
    }
    for _ in range(2 if told.get("again") else 1):
        yield Message(at + told.get("arrives_after", 0), "readings", value)


def _reading(sign: str, told: Any, number: int) -> dict[str, Any]:
    one = told[number % len(told)] if isinstance(told, list) else told
    reading = {"vital_sign": sign} | (one if isinstance(one, dict) else {"value": one})
    if "unit" not in reading and not isinstance(reading["value"], str):
        reading["unit"] = UNITS[sign]
    return reading


def _command(told: Mapping[str, Any], patient_id: str, mode: str) -> Message:
    name, details, answers = _order(told)
    value = {
        "schema_version": 1,
        "command_id": str(uuid5(NAMESPACE_URL, f"{patient_id} {told}")),
        "command": name,
        "patient_id": patient_id,
        "issued_at": instant(told["at"]).isoformat(),
        "mode": mode,
        **details,
    }
    return Message(told["at"], "commands", value, answers)


def _order(told: Mapping[str, Any]) -> tuple[str, Mapping[str, Any], str | None]:
    if "admit" in told:
        return "admit", told["admit"], None
    if "close" in told:
        return "close_alarm", {}, told["close"]
    if "acknowledge" in told:
        return "acknowledge_alarm", {}, told["acknowledge"]
    return "discharge", {}, None
