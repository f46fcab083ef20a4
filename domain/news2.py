"""NEWS2: its seven parts, what is missing of them, the total and the band it falls into.

The table is that of the Royal College of Physicians (National Early Warning Score 2, 2017, Charts 1 and 4;
© Royal College of Physicians 2017), unchanged. It is not for patients under 16 nor in pregnancy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from math import inf

from domain.vital_signs import Consciousness, VitalSign, rounded

RED = 3
MEDIUM_FROM = 5
HIGH_FROM = 7

_Steps = tuple[tuple[float, int], ...]
"""Upper ends, inclusive, each with its points."""

_RESPIRATORY_RATE: _Steps = ((8, 3), (11, 1), (20, 0), (24, 2), (inf, 3))
_SPO2_SCALE_1: _Steps = ((91, 3), (93, 2), (95, 1), (inf, 0))
_SPO2_SCALE_2_ON_AIR: _Steps = ((83, 3), (85, 2), (87, 1), (inf, 0))
_SPO2_SCALE_2_ON_OXYGEN: _Steps = ((83, 3), (85, 2), (87, 1), (92, 0), (94, 1), (96, 2), (inf, 3))
_SYSTOLIC_PRESSURE: _Steps = ((90, 3), (100, 2), (110, 1), (219, 0), (inf, 3))
_PULSE: _Steps = ((40, 3), (50, 1), (90, 0), (110, 1), (130, 2), (inf, 3))
_TEMPERATURE: _Steps = ((35.0, 3), (36.0, 1), (38.0, 0), (39.0, 1), (inf, 2))
_ON_OXYGEN = 2
_SAME_ON_AIR_UP_TO = 92.0
"""Of scale 2: up to here it makes no difference whether the patient is on oxygen."""


class Part(StrEnum):
    """What the score is made of, in the order of the chart."""

    RESPIRATORY_RATE = "respiratory_rate"
    SPO2 = "spo2"
    OXYGEN = "oxygen"
    SYSTOLIC_PRESSURE = "systolic_pressure"
    PULSE = "pulse"
    CONSCIOUSNESS = "consciousness"
    TEMPERATURE = "temperature"


class Spo2Scale(IntEnum):
    """Which column SpO2 is scored by; scale 2 only where a clinician has prescribed a target of 88-92 %."""

    ONE = 1
    TWO = 2


class Band(StrEnum):
    """The clinical risk that a score stands for."""

    LOW = "low"
    LOW_MEDIUM = "low-medium"  # below 5, with 3 in a single part
    MEDIUM = "medium"  # the threshold of the urgent response
    HIGH = "high"  # that of the emergency response


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What is known of a patient at one time, in canonical units; None is missing, and never zero or normal.

    Oxygen that nobody has recorded is unknown, not air.
    """

    respiratory_rate: float | None = None  # /min
    spo2: float | None = None  # %
    is_on_oxygen: bool | None = None
    systolic_pressure: float | None = None  # mm[Hg]
    pulse: float | None = None  # /min
    consciousness: Consciousness | None = None
    temperature: float | None = None  # Cel
    scale: Spo2Scale = Spo2Scale.ONE


@dataclass(frozen=True, slots=True)
class News2:
    """A score: the points of each part that is known."""

    parts: Mapping[Part, int]

    @property
    def missing(self) -> tuple[Part, ...]:
        """The parts that are not known."""
        return tuple(part for part in Part if part not in self.parts)

    @property
    def total(self) -> int | None:
        """The score, 0 to 20; None while a part is missing."""
        return None if self.missing else self.at_least

    @property
    def at_least(self) -> int:
        """The points of what is known: what is missing can only add to them."""
        return sum(self.parts.values())

    @property
    def is_red(self) -> bool:
        """Whether a single part has 3 points, whatever the total."""
        return RED in self.parts.values()

    @property
    def band(self) -> Band | None:
        """The band of the score; of an incomplete one the band it has reached already, None if it is none."""
        if self.at_least >= HIGH_FROM:
            return Band.HIGH
        if self.at_least >= MEDIUM_FROM:
            return Band.MEDIUM
        if self.is_red:
            return Band.LOW_MEDIUM
        return None if self.missing else Band.LOW


def score_news2(findings: Findings) -> News2:
    """The score of *findings*; each value is rounded half up, once, before it is looked up.

    Rates, SpO2 and pressure to whole numbers, temperature to a tenth: between 35.0 and 35.1 there is nothing.
    """
    points = {
        Part.RESPIRATORY_RATE: _points(
            _RESPIRATORY_RATE, VitalSign.RESPIRATORY_RATE, findings.respiratory_rate
        ),
        Part.SPO2: _spo2_points(findings),
        Part.OXYGEN: None if findings.is_on_oxygen is None else _ON_OXYGEN * findings.is_on_oxygen,
        Part.SYSTOLIC_PRESSURE: _points(
            _SYSTOLIC_PRESSURE, VitalSign.SYSTOLIC_PRESSURE, findings.systolic_pressure
        ),
        Part.PULSE: _points(_PULSE, VitalSign.PULSE, findings.pulse),
        Part.CONSCIOUSNESS: _consciousness_points(findings.consciousness),
        Part.TEMPERATURE: _points(_TEMPERATURE, VitalSign.BODY_TEMPERATURE, findings.temperature),
    }
    return News2({part: each for part, each in points.items() if each is not None})


def _points(steps: _Steps, sign: VitalSign, value: float | None) -> int | None:
    if value is None:
        return None
    exact = rounded(sign, value)
    return next(points for upper_end, points in steps if exact <= upper_end)


def _spo2_points(findings: Findings) -> int | None:
    spo2, is_on_oxygen = findings.spo2, findings.is_on_oxygen
    if findings.scale is Spo2Scale.ONE or spo2 is None:
        return _points(_SPO2_SCALE_1, VitalSign.SPO2, spo2)
    if is_on_oxygen is None and rounded(VitalSign.SPO2, spo2) > _SAME_ON_AIR_UP_TO:
        return None
    steps = _SPO2_SCALE_2_ON_OXYGEN if is_on_oxygen else _SPO2_SCALE_2_ON_AIR
    return _points(steps, VitalSign.SPO2, spo2)


def _consciousness_points(consciousness: Consciousness | None) -> int | None:
    """New confusion scores as much as no response at all."""
    if consciousness is None:
        return None
    return 0 if consciousness is Consciousness.A else RED
