"""Runs plans side by side, each side a process with a broker and a database of its own."""

import multiprocessing
import queue
import signal
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from typing import Any

from deploy.local import CONTROLLABLE, Services, local_services
from tests.faults.matrix import run_plan
from tests.faults.plan import Plan
from tests.faults.plans import MATRIX, SHORT
from tests.faults.rows import Row, row_of_failure

_MOST_TOLD = 10
_LOOK_SECONDS = 2.0
_END_SECONDS = 30.0
_processes = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Told:
    """A row, and in words what is wrong with it."""

    row: Row
    wrong: list[str]
    complaints: list[tuple[str, int]] = field(default_factory=list)  # what the workers logged, if it is wrong


def run_all(plans: Sequence[Plan], seed: int, *, sides: int) -> Iterator[Told]:
    """Run *plans* on so many *sides*; rows come as they are done, first those that may have company."""
    in_company = [plan for plan in plans if not plan.is_alone]
    alone = [plan for plan in plans if plan.is_alone]
    for some, count in ((in_company, sides), (alone, 1)):
        if some:
            yield from _run(some, seed, min(count, len(some)))


def _run(plans: Sequence[Plan], seed: int, sides: int) -> Iterator[Told]:
    tasks: Any = _processes.Queue()
    done: Any = _processes.Queue()
    for plan in sorted(
        plans, key=lambda plan: -plan.seconds
    ):  # the long ones first, so that all sides end together
        tasks.put((plan.fault, _place(plan)))
    with _started(tasks, done, seed, sides) as started:
        for _ in range(sides):
            tasks.put(None)
        for _ in plans:
            yield _next(done, started)
        for side in started:
            side.join()


@contextmanager
def _started(tasks: Any, done: Any, seed: int, sides: int) -> Iterator[Sequence[BaseProcess]]:
    started = [_processes.Process(target=_side, args=(tasks, done, seed)) for _ in range(sides)]
    try:
        for side in started:
            side.start()
        yield started
    finally:
        for side in started:
            if side.is_alive():
                side.terminate()  # its guardian ends what it has started
            side.join(_END_SECONDS)


def _next(done: Any, started: Sequence[BaseProcess]) -> Told:
    while True:
        try:
            told: Told = done.get(timeout=_LOOK_SECONDS)
        except queue.Empty:
            if not any(side.is_alive() for side in started):
                raise RuntimeError("no side is left to run the other plans") from None
        else:
            return told


def _side(tasks: Any, done: Any, seed: int) -> None:
    """One side: takes plans until there are none."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who waits; it ends us
    with local_services(places=CONTROLLABLE, say=lambda _: None) as services:
        for fault, place in iter(tasks.get, None):
            if _is_orphan():
                return
            done.put(_told(_plan(fault, place), services, seed))
            _mend(services)


def _is_orphan() -> bool:
    """Whether whoever waits for the rows has been killed."""
    parent = multiprocessing.parent_process()
    return parent is None or not parent.is_alive()


def _place(plan: Plan) -> int:
    return 0 if any(plan is each for each in MATRIX) else 1


def _plan(fault: str, place: int) -> Plan:
    """The plan of that name; a plan holds functions without a name, so that it cannot be sent itself."""
    return next(plan for plan in (MATRIX, SHORT)[place] if plan.fault == fault)


def _told(plan: Plan, services: Services, seed: int) -> Told:
    try:
        outcome = run_plan(plan, services, seed)
    except Exception as error:  # noqa: BLE001  the other plans go on; this one's row is not clean
        said = str(error) if isinstance(error, AssertionError) else traceback.format_exc()
        return Told(row_of_failure(plan.fault, plan.kind, seed), [said])
    complaints = outcome.complaints.most_common(_MOST_TOLD) if outcome.wrong else []
    return Told(outcome.row, outcome.wrong, complaints)


def _mend(services: Services) -> None:
    for service in (services.kafka, services.postgres):
        service.resume()
        service.start()
