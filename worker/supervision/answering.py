"""What the supervisor answers over HTTP: of all its processes together, or of any of them."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from worker.health import STALLED_SECONDS
from worker.http import METRICS_TYPE, Answer, Route, health_answer, paths_there_are
from worker.supervision import pages
from worker.supervision.asking import ask, ask_each
from worker.supervision.forking import Process

_SECONDS = 1.5  # less than any probe waits
_SCRAPE_SECONDS = 3.0
_OF_ANY = (
    "/asyncapi", "/asyncapi.json", "/asyncapi.yaml", "/static/asyncapi.js", "/static/asyncapi.css",
)  # fmt: skip


@dataclass(slots=True)
class Household:
    """The processes of a worker, and when each was last known to live."""

    processes: list[Process]
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        """Count from now."""
        for each in self.processes:
            self.seen(each)

    @property
    def begun(self) -> Iterable[Process]:
        """Those that have begun, and can be asked."""
        return [each for each in self.processes if not each.is_held]

    def seen(self, process: Process) -> None:
        """Note that *process* lives."""
        process.seen_at = self.clock()

    def is_alive(self, process: Process) -> bool:
        """Whether *process* does anything at all; one that is held has nothing to do."""
        return process.is_held or self.clock() - process.seen_at < STALLED_SECONDS


def routes(household: Household) -> dict[str, Route]:
    """Every path there is: those of one process."""
    return {
        "/": paths_there_are,
        "/metrics": partial(_metrics, household),
        "/health/live": partial(_live, household),
        "/health/ready": partial(_ready, household),
        **{path: partial(_of_any, household, path) for path in _OF_ANY},
    }


async def _metrics(household: Household) -> Answer:
    answers = await ask_each(household.begun, "/metrics", _SCRAPE_SECONDS)
    return Answer(
        pages.metrics_page({
            process.number: answer.body.decode() if answer is not None else None
            for process, answer in answers.items()
        }),
        METRICS_TYPE,
    )  # fmt: skip


def _live(household: Household) -> Answer:
    alive = {str(process.number): household.is_alive(process) for process in household.processes}
    return health_answer({"alive": all(alive.values()), "processes": alive}, is_good=all(alive.values()))


async def _ready(household: Household) -> Answer:
    answers = await ask_each(household.begun, "/health/ready", _SECONDS)
    report = pages.ready_report({
        process.number: "waits for process 1" if process.is_held
        else "does not answer" if answer is None
        else pages.report_in(answer.body)
        for process, answer in ((each, answers.get(each)) for each in household.processes)
    })  # fmt: skip
    return health_answer(report, is_good=bool(report["ready"]))


async def _of_any(household: Household, path: str) -> Answer:
    for process in household.begun:
        if (answer := await ask(process, path, _SECONDS)) is not None:
            return answer
    return Answer(b"no process answers\n", "text/plain", 503)
