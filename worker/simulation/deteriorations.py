"""Stories of patients who get worse and better again, and when each is told on which bed."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from domain.vital_signs import Consciousness
from worker.simulation.physiology import Vitals

# Much faster than at a bedside, where these take minutes to hours: a demonstration must show them.
ONSET_S = 2.0  # of the first story of a cycle
APART_S = 3.0
RAMP_S = 5.0
HOLD_S = 75.0
CYCLE_S = 300.0
_VARIATION = 0.4  # of the usual ups and downs, kept in illness


@dataclass(frozen=True, slots=True, kw_only=True)
class Deterioration:
    """Where a story leads: the vitals at its worst."""

    name: str
    worst: Vitals


RESPIRATORY = Deterioration(
    name="respiratory failure",
    worst=Vitals(
        heart_rate=121, respiratory_rate=34, spo2=76, systolic=146, diastolic=88, temperature=37.4,
        consciousness=Consciousness.C,
    ),
)  # fmt: skip
SEPSIS = Deterioration(
    name="sepsis",
    worst=Vitals(
        heart_rate=139, respiratory_rate=29, spo2=93, systolic=85, diastolic=46, temperature=39.5,
        consciousness=Consciousness.C,
    ),
)  # fmt: skip
BRADYCARDIA = Deterioration(
    name="bradycardia",
    worst=Vitals(
        heart_rate=32, respiratory_rate=15, spo2=95, systolic=94, diastolic=55, temperature=36.6,
        consciousness=Consciousness.V,
    ),
)  # fmt: skip
BLEEDING = Deterioration(
    name="bleeding",
    worst=Vitals(
        heart_rate=137, respiratory_rate=27, spo2=95, systolic=74, diastolic=41, temperature=36.2,
        consciousness=Consciousness.A,
    ),
)  # fmt: skip
STORIES = (RESPIRATORY, SEPSIS, BRADYCARDIA, BLEEDING)


@dataclass(frozen=True, slots=True)
class Course:
    """One story told on one bed, from *onset_s* on."""

    deterioration: Deterioration
    onset_s: float

    def apply(self, vitals: Vitals, usual: Vitals, elapsed_s: float) -> Vitals:
        """*vitals* of a patient with these *usual* ones as the story has changed them by *elapsed_s*."""
        worst = self.deterioration.worst.varied(vitals, usual, _VARIATION)
        return vitals.towards(worst, self.share(elapsed_s))

    def share(self, elapsed_s: float) -> float:
        """How far along it is: up over the ramp, held, and down again over twice the ramp."""
        since = elapsed_s - self.onset_s
        up = since / RAMP_S
        down = 1 - (since - RAMP_S - HOLD_S) / (2 * RAMP_S)
        return min(max(min(up, down), 0.0), 1.0)


@lru_cache(maxsize=16)
def courses(seed: int, beds: int, count: int, cycle: int) -> Mapping[int, Course]:
    """The stories of one *cycle* by bed index: *count* of them, on beds drawn anew each cycle."""
    chance = Random(f"{seed}/courses/{cycle}")  # noqa: S311  repeatable, not secret
    drawn = chance.sample(range(beds), min(count, beds))
    begin = cycle * CYCLE_S + ONSET_S
    return {
        bed: Course(STORIES[number % len(STORIES)], begin + APART_S * number)
        for number, bed in enumerate(drawn)
    }
