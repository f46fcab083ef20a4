"""Starts the worker of `vigil run`: as this process, or as several that this one looks after."""

import asyncio
from collections.abc import Coroutine

from worker.app import run
from worker.settings import Settings
from worker.supervision.counting import how_many, usable_processors
from worker.supervision.part import Part
from worker.supervision.running import supervise


def start(settings: Settings, wait: float | None) -> int:
    """Run the worker until it is told to stop; returns the exit code. Raises WorkerError."""
    count = how_many(settings.processes, processors=usable_processors(), partitions=settings.partitions)
    if count > 1:
        return supervise(settings, count, lambda given, part: _run_part(given, part, wait))
    _in_event_loop(run(settings, wait=wait))
    return 0


def _run_part(settings: Settings, part: Part, wait: float | None) -> None:
    _in_event_loop(run(settings, wait=wait, listening=part.listening, checked=part.tell_lanes))


def _in_event_loop(work: Coroutine[None, None, None]) -> None:
    """Run *work* on uvloop where there is one: it is faster, and behaves the same."""
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        factory = None
    else:
        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(work)
