"""`vigil simulate`: a simulated ward, live or sped up, to the input topics or into a file."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from domain.observations import Mode
from worker.errors import OperatorError
from worker.feed.pacing import Pace
from worker.feed.progress import Progress
from worker.feed.records import FeedRecord
from worker.feed.sending import feeding, send, write
from worker.feed.tally import Tally
from worker.settings import Settings
from worker.simulation.ward import WardPlan, simulated
from worker.topics import TopicNames

REAL_TIME = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What an operator asks for. *rate* is in observation sets a second, of the whole ward, on its own clock."""

    start_ms: int
    beds: int = 12
    ward: str = "7B"
    seed: int = 1
    rate: float | None = None  # None: every monitor sends once a second
    speed_up: float = REAL_TIME
    seconds: float | None = None  # of real time; None: until stopped
    mode: Mode = Mode.DEMO
    deteriorations: int = 4

    def __post_init__(self) -> None:
        """Refuse what no ward can be. Raises OperatorError, which names what would be right."""
        if self.mode is Mode.REAL:
            raise OperatorError("simulated data is never real: mode must be demo or test")
        if self.beds < 1:
            raise OperatorError(f"a ward has at least one bed, not {self.beds}")
        for name, value in (("rate", self.rate), ("speed-up", self.speed_up), ("seconds", self.seconds)):
            if value is not None and not 0 < value < float("inf"):
                raise OperatorError(f"{name} must be more than 0, not {value:g}")

    @property
    def plan(self) -> WardPlan:
        """The ward; its records carry their received time where its clock is not the real one."""
        return WardPlan(
            ward=self.ward,
            beds=self.beds,
            seed=self.seed,
            start_ms=self.start_ms,
            mode=self.mode,
            deteriorations=self.deteriorations,
            interval_s=self.beds / self.rate if self.rate else 1.0,
            with_received_time=self.speed_up != REAL_TIME,
        )


async def simulate(simulation: Simulation, settings: Settings, pace: Pace, progress: Progress) -> Tally:
    """Send the ward's records as they fall due, until *pace* ends it."""
    topics = TopicNames(settings.topic_prefix)
    async with feeding(settings) as producer:
        return await send(simulated(simulation.plan), producer, topics, pace, progress.advance)


def simulate_into(out: Path, simulation: Simulation, settings: Settings, progress: Progress) -> Tally:
    """Write what would be sent in the given seconds into *out*, a line of JSON each."""
    return write(bounded(simulation), out, TopicNames(settings.topic_prefix), progress.advance)


def bounded(simulation: Simulation) -> Iterator[FeedRecord]:
    """The records of the given seconds. Raises OperatorError where none are given: the ward has no end."""
    if simulation.seconds is None:
        raise OperatorError("a file must end: give the seconds to simulate")
    end_ms = simulation.start_ms + simulation.seconds * simulation.speed_up * 1000
    return takewhile(lambda record: record.due_ms < end_ms, simulated(simulation.plan))
