"""Runs a worker as several processes: makes them, and is their supervisor or one of them."""

import asyncio
import gc
import socket
from collections.abc import Callable, Sequence

import structlog

from worker.http import bound
from worker.observability.logs import configure_logging
from worker.settings import Settings, load_settings
from worker.supervision.forking import Process, fork
from worker.supervision.part import Part
from worker.supervision.supervisor import Supervisor

log = structlog.get_logger(__name__)


def supervise(settings: Settings, count: int, work: Callable[[Settings, Part], None]) -> int:
    """Let *count* processes do *work*; returns the exit code, in each of them as in the supervisor.

    Everything that the work needs should have been imported: it is shared then.
    """
    listening = bound(settings.http_host, settings.http_port)
    gc.collect()
    gc.freeze()  # what is never looked at again is never copied
    forked = fork(count, listening)
    if isinstance(forked, Part):
        _become(forked, settings, work)
        return 0
    for process in forked:
        log.info("process_made", process=process.number, pid=process.pid)
    return asyncio.run(_look_after(settings, forked, listening))


def _become(part: Part, settings: Settings, work: Callable[[Settings, Part], None]) -> None:
    part.begin()
    configure_logging(settings.log_format, settings.log_level, process=part.number)
    work(load_settings(instance_id=part.instance_id(settings.instance_id)), part)


async def _look_after(settings: Settings, processes: Sequence[Process], listening: socket.socket) -> int:
    return await Supervisor(settings, processes).run(listening)
