"""What goes wrong between a patient and a number: motion, spikes, probes and leads that come off."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from domain.vital_signs import VitalSign


class Artefact(StrEnum):
    """A way in which a monitor's numbers part from the patient."""

    MOTION = "motion"  # the oximeter reads low for a few seconds
    SPIKE = "spike"  # one heart rate far off
    NONSENSE = "nonsense"  # one value that nobody can have
    PROBE_OFF = "probe_off"  # the oximeter sends zeros
    LEADS_OFF = "leads_off"  # the ECG sends zeros


@dataclass(frozen=True, slots=True)
class Spell:
    """An artefact from *begin_s* to before *end_s*."""

    artefact: Artefact
    begin_s: float
    end_s: float


# Seconds between two of a kind at one bed on average, and how long one lasts. A motion dip is shorter than
# the on-delay of a saturation alarm: nobody should be called for it.
_HABITS: Mapping[Artefact, tuple[float, float, float]] = {
    Artefact.MOTION: (180, 3, 8),
    Artefact.SPIKE: (600, 1, 1),
    Artefact.NONSENSE: (1_800, 1, 1),
    Artefact.PROBE_OFF: (1_200, 20, 90),
    Artefact.LEADS_OFF: (3_600, 20, 60),
}
_ABSENT: Mapping[Artefact, frozenset[VitalSign]] = {
    Artefact.PROBE_OFF: frozenset({VitalSign.SPO2, VitalSign.PULSE}),
    Artefact.LEADS_OFF: frozenset({VitalSign.HEART_RATE, VitalSign.RESPIRATORY_RATE}),
}


def spells(artefact: Artefact, chance: Random, first: Spell | None = None) -> Iterator[Spell]:
    """Every spell of *artefact* at one bed, in time order, without end; *first* is put before them."""
    mean_s, shortest, longest = _HABITS[artefact]
    at = 0.0
    if first is not None:
        yield first
        at = first.end_s
    while True:
        begin = at + chance.expovariate(1 / mean_s)
        at = begin + chance.uniform(shortest, longest)
        yield Spell(artefact, begin, at)


class Artefacts:
    """The artefacts of one bed; asked for rising times only."""

    def __init__(self, chance: Random, *first: Spell) -> None:
        begun = {spell.artefact: spell for spell in first}
        self._chance = chance
        self._coming = {
            kind: spells(kind, Random(f"{chance.random()}"), begun.get(kind))  # noqa: S311  repeatable
            for kind in Artefact
        }
        self._present = {kind: next(coming) for kind, coming in self._coming.items()}

    def distort(self, values: dict[VitalSign, float], elapsed_s: float) -> dict[VitalSign, float]:
        """*values* as the device shows them *elapsed_s* into the simulation."""
        for kind in Artefact:
            while self._present[kind].end_s <= elapsed_s:
                self._present[kind] = next(self._coming[kind])
            if self._present[kind].begin_s <= elapsed_s:
                values = values | self._distorted(kind, values)
        return values

    def _distorted(self, kind: Artefact, values: Mapping[VitalSign, float]) -> dict[VitalSign, float]:
        if kind is Artefact.MOTION:
            return {VitalSign.SPO2: min(values[VitalSign.SPO2], self._chance.uniform(86, 90))}
        if kind is Artefact.SPIKE:
            return {VitalSign.HEART_RATE: min(158.0, values[VitalSign.HEART_RATE] * 1.7)}
        if kind is Artefact.NONSENSE:
            return {VitalSign.SPO2: 127.0}
        return dict.fromkeys(_ABSENT[kind], 0.0)
