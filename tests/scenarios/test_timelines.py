"""The hand-written timelines through the pure evaluator, each message as JSON from the wire on."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import orjson
import pytest

from domain.alerts import Alert
from domain.chart import Chart
from domain.commands import Command
from domain.evaluation import evaluate
from domain.observations import Mode, ObservationSet, Tick
from domain.protocol import Protocol
from domain.times import from_ms, to_ms
from tests.scenarios.timelines import BEGIN, Message, Timeline, differences, timelines
from worker.messages import alert_record, decode_command_record, decode_reading_record
from worker.protocols import load_protocol
from worker.topics import TopicNames

PATIENT = "timeline"
TOPICS = TopicNames()


@dataclass(frozen=True)
class Logged:
    """A message as the log has it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


class Bedside:
    """One chart, what has been stored of it, and what was said."""

    def __init__(self, timeline: Timeline, protocol: Protocol, *, is_replayed: bool) -> None:
        self.mode = "test" if is_replayed else timeline.mode
        self.chart = Chart(patient_id=PATIENT, mode=Mode(self.mode), lane=0)
        self.protocol = protocol
        self.is_replayed = is_replayed
        self.alerts: list[Alert] = []
        self._stored: set[object] = set()

    def play(self, timeline: Timeline) -> list[dict[str, object]]:
        for offset, message in enumerate(timeline.messages(PATIENT, self.mode)):
            item = self._decoded(message, offset)
            if item is not None:
                self._pass_time(to_ms(message.received_at))
                self._evaluate(item)
        return [described(alert, self.is_replayed) for alert in self.alerts]

    def _evaluate(self, item: ObservationSet | Command | Tick) -> None:
        evaluation = evaluate(self.chart, item, self.protocol)
        self.chart = evaluation.chart
        self.alerts += evaluation.alerts

    def _pass_time(self, until_ms: int) -> None:
        """What a worker does once a second: nothing until a chart is due."""
        while self.chart.due_ms is not None and self.chart.due_ms <= until_ms:
            self._evaluate(Tick(at=from_ms(self.chart.due_ms)))

    def _decoded(self, message: Message, offset: int) -> ObservationSet | Command | None:
        logged = self._logged(message, offset)
        if message.topic == "commands":
            command = decode_command_record(logged)
            assert isinstance(command, Command), command
            return command
        observation = decode_reading_record(logged).observation
        return None if observation is None else self._new_of(observation)

    def _new_of(self, observation: ObservationSet) -> ObservationSet | None:
        """What the store does not know yet: only that is evaluated."""
        new = tuple(reading for reading in observation.readings if reading.reading_id not in self._stored)
        self._stored |= {reading.reading_id for reading in new}
        return replace(observation, readings=new) if new else None

    def _logged(self, message: Message, offset: int) -> Logged:
        value = dict(message.value)
        if message.answers is not None:
            value["alarm_id"] = next(
                str(alert.alarm_id) for alert in self.alerts if alert.rule_id == message.answers
            )
        received_ms = to_ms(message.received_at)
        headers = (("vigil-received-at", str(received_ms).encode()),) if self.is_replayed else ()
        timestamp = to_ms(datetime(2026, 9, 9, tzinfo=UTC)) if self.is_replayed else received_ms
        return Logged(message.topic, 0, offset, timestamp, PATIENT.encode(), orjson.dumps(value), headers)


def described(alert: Alert, is_replayed: bool) -> dict[str, object]:
    """An alert in the words of the timelines."""
    topic = getattr(TOPICS, alert_record(alert, site="test").topic)
    return {
        "at": (alert.determined_at - BEGIN).total_seconds(),
        "phase": alert.phase.value,
        "rule": alert.rule_id,
        "priority": alert.priority.word,
        "kind": alert.kind.value,
        "reason": alert.reason.value,
        "flags": [flag.value for flag in alert.flags],
        "topic": topic,
        "title": alert.title,
    }


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return load_protocol("ward-adult")


@pytest.mark.parametrize("timeline", timelines(), ids=lambda timeline: timeline.name)
@pytest.mark.parametrize("is_replayed", [False, True], ids=["live", "replayed"])
def test_a_timeline_says_exactly_what_it_must(timeline, is_replayed, protocol):
    bedside = Bedside(timeline, protocol, is_replayed=is_replayed)

    said = bedside.play(timeline)

    assert differences(timeline.expected, said) == []


def test_there_are_at_least_twenty_timelines_and_none_imports_anything_of_vigil():
    assert len(timelines()) >= 20
