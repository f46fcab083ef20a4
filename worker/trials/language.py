"""The language of trials: what is observed when, and what must be said then; pure: text in, steps out.

    at 0: spo2 97
    at 10s: spo2 90; hr 88
    at 26s: spo2 90; expect start spo2-low medium
    at 60s: expect nothing

Each moment is a duration since the trial began. What is observed at one moment is one observation set. Whatever
is said at a moment, and only that, must be expected there.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from domain.alarms import Priority
from domain.alerts import Phase
from domain.observations import Validity
from domain.vital_signs import DEFINITIONS, VitalSign
from worker.errors import OperatorError
from worker.feed.records import Value
from worker.messages.meaning import CODES

SHORT_NAMES = {
    "temp": VitalSign.BODY_TEMPERATURE,
    "hr": VitalSign.HEART_RATE,
    "rr": VitalSign.RESPIRATORY_RATE,
    "sbp": VitalSign.SYSTOLIC_PRESSURE,
    "dbp": VitalSign.DIASTOLIC_PRESSURE,
    "map": VitalSign.MEAN_PRESSURE,
    "acvpu": VitalSign.CONSCIOUSNESS,
    "oxygen": VitalSign.OXYGEN_THERAPY,
}
_SIGNS = SHORT_NAMES | {sign.value: sign for sign in VitalSign}
_MOMENT = re.compile(r"at\s+(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)?\s*:\s*(.*)")
_MS = {None: 1000, "ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_PRIORITIES = {priority.word: priority for priority in Priority}
_PHASES = {phase.value: phase for phase in Phase}
_NOTHING = ["nothing"]


class TrialError(OperatorError):
    """A trial that cannot be read; the message says where, and what would be right."""


@dataclass(frozen=True, slots=True)
class Expected:
    """An alert that must be given: its phase, its rule, and its priority if that is said."""

    phase: Phase
    rule_id: str
    priority: Priority | None = None

    def __str__(self) -> str:
        """As it is written."""
        words = (self.phase.value, self.rule_id, self.priority.word if self.priority else "")
        return " ".join(word for word in words if word)


@dataclass(frozen=True, slots=True)
class Moment:
    """What is observed *after_ms* into a trial, and what must be said then."""

    line: int  # of the text, from 1
    after_ms: int
    values: tuple[Value, ...]
    expected: tuple[Expected, ...]


def moments_of(text: str) -> Iterator[Moment]:
    """Read *text*. Raises TrialError with its line."""
    last = -1
    for number, line in enumerate(text.splitlines(), 1):
        told = line.partition("#")[0].strip()
        if not told:
            continue
        moment = _moment(number, told)
        if moment.after_ms <= last:
            raise TrialError(f"line {number}: its moment must lie after that of the line before")
        last = moment.after_ms
        yield moment


def _moment(number: int, told: str) -> Moment:
    match = _MOMENT.fullmatch(told)
    if match is None:
        raise TrialError(f"line {number}: wanted is `at 30s: spo2 90; expect start spo2-low medium`")
    steps = [step.split() for step in match[3].split(";") if step.strip()]
    expected = [step[1:] for step in steps if step[0] == "expect"]
    return Moment(
        number,
        round(float(match[1]) * _MS[match[2]]),
        tuple(_value(number, step) for step in steps if step[0] != "expect"),
        tuple(_expected(number, words) for words in expected if words != _NOTHING),
    )


def _value(number: int, words: list[str]) -> Value:
    """`spo2 90`, `temp 101.3 [degF]`, `acvpu V`, `spo2 absent`."""
    sign = _SIGNS.get(words[0])
    if sign is None:
        known = ", ".join([*SHORT_NAMES, *(each.value for each in VitalSign)])
        raise TrialError(f"line {number}: {words[0]!r} is no vital sign; known are {known}")
    told, unit = words[1:2], words[2:]
    if len(told) != 1 or len(unit) > 1:
        raise TrialError(
            f"line {number}: wanted is a sign with one value, such as `spo2 90` or `spo2 absent`"
        )
    if told == ["absent"]:
        return Value(vital_sign=sign, value=0.0, unit=DEFINITIONS[sign].unit, validity=Validity.ABSENT)
    if told[0] in CODES.get(sign, {}):
        return Value(vital_sign=sign, value=told[0])
    try:
        return Value(vital_sign=sign, value=float(told[0]), unit=unit[0] if unit else DEFINITIONS[sign].unit)
    except ValueError:
        raise TrialError(f"line {number}: {told[0]!r} is no value of {sign}") from None


def _expected(number: int, words: list[str]) -> Expected:
    """`start spo2-low medium`; the priority may be left out."""
    wanted = "wanted is `expect start spo2-low medium` or `expect nothing`"
    if len(words) not in {2, 3}:
        raise TrialError(f"line {number}: {wanted}")
    phase = _PHASES.get(words[0])
    if phase is None:
        raise TrialError(f"line {number}: {words[0]!r} is no phase; known are {', '.join(_PHASES)}")
    if len(words) == 2:  # noqa: PLR2004  phase and rule
        return Expected(phase, words[1])
    if words[2] not in _PRIORITIES:
        raise TrialError(f"line {number}: {words[2]!r} is no priority; known are {', '.join(_PRIORITIES)}")
    return Expected(phase, words[1], _PRIORITIES[words[2]])
