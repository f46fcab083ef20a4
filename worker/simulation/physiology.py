"""A patient's vital signs as they truly are: a baseline, slow drifts, the time of day, all correlated."""

from dataclasses import dataclass, replace
from math import cos, exp, pi, sqrt
from random import Random

from domain.vital_signs import Consciousness

_DAY_S = 86_400.0
_WARMEST_S = 17.5 * 3_600  # body temperature, and with it heart rate and pressure, peak in the late afternoon


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """All signs at one instant, before any device has rounded or lost them."""

    heart_rate: float
    respiratory_rate: float
    spo2: float
    systolic: float
    diastolic: float
    temperature: float
    consciousness: Consciousness = Consciousness.A
    oxygen_flow: float = 0.0

    @property
    def mean_pressure(self) -> float:
        """A third of the way from diastolic to systolic."""
        return self.diastolic + (self.systolic - self.diastolic) / 3

    def towards(self, other: "Vitals", share: float) -> "Vitals":
        """These vitals moved by *share* (0 to 1) of the way to *other*; consciousness turns half-way."""
        moved = {name: _between(getattr(self, name), getattr(other, name), share) for name in _MEASURED}
        consciousness = other.consciousness if share > 0.5 else self.consciousness  # noqa: PLR2004
        return replace(self, **moved, consciousness=consciousness)

    def varied(self, like: "Vitals", usual: "Vitals", share: float) -> "Vitals":
        """These vitals with *share* of the way in which *like* differs from *usual*: no illness is a flat line."""
        varied = {
            name: getattr(self, name) + share * (getattr(like, name) - getattr(usual, name))
            for name in _MEASURED
        }
        return replace(self, **varied)


_MEASURED = ("heart_rate", "respiratory_rate", "spo2", "systolic", "diastolic", "temperature")


@dataclass(slots=True)
class Drift:
    """A quantity that wanders about zero with spread one and forgets itself over *memory_s* seconds."""

    memory_s: float
    level: float = 0.0

    def after(self, seconds: float, chance: Random) -> float:
        """Its level *seconds* later, exact for any step (Ornstein-Uhlenbeck)."""
        kept = exp(-seconds / self.memory_s)
        self.level = self.level * kept + sqrt(1 - kept * kept) * chance.gauss(0, 1)
        return self.level


class Patient:
    """One stable ward patient; the same chance gives the same life."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self.baseline = a_baseline(chance)
        self._activity = Drift(memory_s=240.0)
        self._vessels = Drift(memory_s=900.0)
        self._lungs = Drift(memory_s=600.0)
        self._jitter = Drift(memory_s=4.0)

    def after(self, seconds: float, time_of_day_s: float) -> Vitals:
        """The vitals *seconds* after the last ones, at a second of the day."""
        chance, base = self._chance, self.baseline
        activity = self._activity.after(seconds, chance)
        vessels = self._vessels.after(seconds, chance)
        lungs = self._lungs.after(seconds, chance)
        jitter = self._jitter.after(seconds, chance)
        warmth = 0.3 * cos(2 * pi * (time_of_day_s - _WARMEST_S) / _DAY_S)
        # Moving about raises rate, breathing and pressure together; a degree is worth ten beats.
        return replace(
            base,
            heart_rate=base.heart_rate + 4 * activity - 1.5 * vessels + 10 * warmth + 1.5 * jitter,
            respiratory_rate=base.respiratory_rate + 1.2 * activity - 0.4 * lungs + 0.6 * jitter,
            spo2=min(100.0, base.spo2 + 0.5 * lungs - 0.2 * activity + 0.2 * jitter),
            systolic=base.systolic + 4 * activity + 4 * vessels + 8 * warmth + 1.5 * jitter,
            diastolic=base.diastolic + 2 * activity + 3 * vessels + 4 * warmth + jitter,
            temperature=base.temperature + warmth,
        )


def a_baseline(chance: Random) -> Vitals:
    """What is usual for one patient; some are on a little oxygen."""
    systolic = _within(chance.gauss(126, 9), 116, 150)
    return Vitals(
        heart_rate=_within(chance.gauss(78, 9), 62, 96),
        respiratory_rate=_within(chance.gauss(15, 1.5), 13, 18),
        spo2=_within(chance.gauss(97, 0.8), 95.5, 98.5),
        systolic=systolic,
        diastolic=_within(systolic * 0.6 + chance.gauss(0, 3), 62, 92),
        temperature=_within(chance.gauss(36.8, 0.2), 36.4, 37.2),
        oxygen_flow=chance.choice((0, 0, 0, 0, 2)),
    )


def _within(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def _between(start: float, end: float, share: float) -> float:
    return start + (end - start) * share
