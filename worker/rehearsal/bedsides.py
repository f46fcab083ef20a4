"""Each patient of a feed through the evaluator, record by record, as a worker would take them in."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from uuid import UUID

from domain.alerts import Alert
from domain.chart import Chart
from domain.commands import Command
from domain.evaluation import Course
from domain.observations import ObservationSet
from domain.protocol import Protocol
from worker.feed.records import FeedRecord, Inlet, logged
from worker.messages import Refusal, decode_command_record, decode_reading_record


@dataclass(frozen=True, slots=True)
class Told:
    """One alert, and which patient of the feed it is about."""

    patient_id: str
    alert: Alert


class Bedsides:
    """The charts of one rehearsal; nothing outlives it."""

    def __init__(self, protocol: Protocol) -> None:
        self.refused = 0
        self._protocol = protocol
        self._courses: dict[str, Course] = {}
        self._known: set[UUID] = set()

    def take_all(self, records: Iterable[FeedRecord]) -> Iterator[Told]:
        """Take in *records*, in their order; every alert in the order in which it would go out."""
        for offset, record in enumerate(records):
            for item in self._decoded(record, offset):
                for alert in self._course(item).take(item).alerts:
                    yield Told(item.patient_id, alert)

    def _decoded(self, record: FeedRecord, offset: int) -> Iterator[ObservationSet | Command]:
        in_log = logged(record, offset)
        if record.inlet is Inlet.COMMANDS:
            command = decode_command_record(in_log)
            if isinstance(command, Refusal):
                self.refused += 1
            else:
                yield command
            return
        decoded = decode_reading_record(in_log)
        self.refused += len(decoded.refusals)
        observation = self._only_new(decoded.observation) if decoded.observation else None
        if observation is not None:
            yield observation

    def _only_new(self, observation: ObservationSet) -> ObservationSet | None:
        """What the store would not know yet."""
        new = tuple(each for each in observation.readings if each.reading_id not in self._known)
        self._known.update(each.reading_id for each in new)
        return replace(observation, readings=new) if new else None

    def _course(self, item: ObservationSet | Command) -> Course:
        course = self._courses.get(item.patient_id)
        if course is None:
            chart = Chart(patient_id=item.patient_id, mode=item.mode, lane=0)
            course = self._courses[item.patient_id] = Course(chart, self._protocol)
        return course
