"""A simulated ward as a stream of records in time order: the same plan gives the same records."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from heapq import merge
from itertools import count
from random import Random

from domain.commands import Sex
from domain.observations import Acquisition, Mode
from domain.times import from_ms
from worker.feed.records import FeedRecord, Value, admission, identifier, observation
from worker.simulation.artefacts import Artefact, Artefacts, Spell
from worker.simulation.deteriorations import CYCLE_S, courses
from worker.simulation.devices import pressures, shown, spot_check, streamed
from worker.simulation.physiology import Patient, Vitals

CUFF_EVERY_S = 60.0
ROUND_EVERY_S = 1_800.0
_FIRST_ROUND_S = 6.0
_BED_TO_BED_S = 2.0  # a very brisk nurse: a demonstration is short
_ARTERIAL_LINE_EVERY = 5  # one bed in so many
_FAHRENHEIT_EVERY = 4
_SENT_TWICE = 0.002  # of a monitor's messages; networks do that


@dataclass(frozen=True, slots=True, kw_only=True)
class WardPlan:
    """What is to be simulated; *start_ms* is the first instant, *interval_s* between a monitor's sets.

    With *with_received_time* each record carries the time at which it counts as received.
    """

    ward: str
    beds: int
    seed: int
    start_ms: int
    mode: Mode = Mode.DEMO
    deteriorations: int = 4
    interval_s: float = 1.0
    with_received_time: bool = False


def simulated(plan: WardPlan) -> Iterator[FeedRecord]:
    """The ward's records without end, admissions first, then by the time at which each is due."""
    streams = [Bed(plan, index).records() for index in range(plan.beds)]
    for record in _admissions(plan):
        yield _stamped(plan, record)
    for record in merge(*streams, key=lambda record: record.due_ms):
        yield _stamped(plan, record)


class Bed:
    """One bed: its patient, the monitor beside it, and the nurse who comes round."""

    def __init__(self, plan: WardPlan, index: int) -> None:
        chance = Random(f"{plan.seed}/bed/{index}")  # noqa: S311  repeatable, not secret
        self._plan = plan
        self._index = index
        self._chance = chance
        self._patient = Patient(chance)
        self._artefacts = Artefacts(chance, *_opening(plan, index))
        self._cuff_due_s = 1.0 + chance.uniform(0, 9)
        self._round_due_s = _FIRST_ROUND_S + _BED_TO_BED_S * index
        self._has_arterial_line = index % _ARTERIAL_LINE_EVERY == _ARTERIAL_LINE_EVERY - 1

    def records(self) -> Iterator[FeedRecord]:
        """Everything said about this bed, in time order, without end."""
        step = self._plan.interval_s
        # Monitors are not in step with one another.
        offset = step * self._index / max(self._plan.beds, 1)
        for number in count():
            elapsed = offset + number * step
            vitals = self._vitals(elapsed, step if number else 0.0)
            yield from self._monitor(number, elapsed, vitals)
            if elapsed >= self._round_due_s:
                yield self._round(elapsed + step / 3, vitals)  # a nurse is not in step with the monitor

    def _vitals(self, elapsed: float, step: float) -> Vitals:
        plan = self._plan
        start = from_ms(plan.start_ms)
        time_of_day = (start.hour * 60 + start.minute) * 60 + start.second + elapsed
        vitals = self._patient.after(step, time_of_day)
        told = courses(plan.seed, plan.beds, plan.deteriorations, int(elapsed // CYCLE_S))
        course = told.get(self._index)
        return course.apply(vitals, self._patient.baseline, elapsed) if course else vitals

    def _monitor(self, number: int, elapsed: float, vitals: Vitals) -> Iterator[FeedRecord]:
        values = shown(self._artefacts.distort(streamed(vitals, self._chance), elapsed))
        if self._has_arterial_line:
            values += shown(pressures(vitals), site="arterial")
        if elapsed >= self._cuff_due_s:
            self._cuff_due_s += CUFF_EVERY_S
            values += shown(pressures(vitals), site="cuff")
        record = self._observation(f"monitor-{self._name}", number, elapsed, Acquisition.CONTINUOUS, values)
        yield record
        if self._chance.random() < _SENT_TWICE:
            yield record

    def _round(self, elapsed: float, vitals: Vitals) -> FeedRecord:
        self._round_due_s += ROUND_EVERY_S
        values = spot_check(vitals, in_fahrenheit=self._index % _FAHRENHEIT_EVERY == 0)
        device = f"trolley-{self._plan.ward}"
        return self._observation(device, int(elapsed), elapsed, Acquisition.SPOT_CHECK, list(values))

    def _observation(
        self, device: str, number: int, elapsed: float, acquisition: Acquisition, values: list[Value]
    ) -> FeedRecord:
        plan = self._plan
        return observation(
            message_id=identifier(
                "simulated", plan.seed, plan.start_ms, patient_of(plan, self._index), device, number
            ),
            patient_id=patient_of(plan, self._index),
            device_id=device,
            observed_ms=plan.start_ms + round(elapsed * 1000),
            acquisition=acquisition,
            mode=plan.mode,
            values=values,
        )

    @property
    def _name(self) -> str:
        return f"{self._plan.ward}-{self._index + 1:02}"


def patient_of(plan: WardPlan, index: int) -> str:
    """The patient in the bed of *index*; no real identifier looks like it."""
    return f"{plan.mode.value}-{plan.ward}-{index + 1:04}"


def _opening(plan: WardPlan, index: int) -> list[Spell]:
    """What is sure to be seen soon: on a bed where nobody deteriorates, a probe comes off at once."""
    calm = [
        bed for bed in range(plan.beds) if bed not in courses(plan.seed, plan.beds, plan.deteriorations, 0)
    ]
    if calm[:1] == [index]:
        return [Spell(Artefact.PROBE_OFF, 2.0, 60.0)]
    if calm[1:2] == [index]:
        return [Spell(Artefact.NONSENSE, 5.0, 6.0), Spell(Artefact.MOTION, 8.0, 14.0)]
    return []


def _admissions(plan: WardPlan) -> Iterator[FeedRecord]:
    for index in range(plan.beds):
        chance = Random(f"{plan.seed}/person/{index}")  # noqa: S311  likewise
        yield admission(
            patient_id=patient_of(plan, index),
            ward=plan.ward,
            bed=f"{index + 1:02}",
            mode=plan.mode,
            issued_ms=plan.start_ms,
            birth_date=f"{chance.randint(1940, 2000)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
            sex=chance.choice((Sex.FEMALE, Sex.MALE)),
        )


def _stamped(plan: WardPlan, record: FeedRecord) -> FeedRecord:
    return replace(record, received_ms=record.due_ms) if plan.with_received_time else record
