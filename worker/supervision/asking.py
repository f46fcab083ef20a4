"""Asks a process for one of the pages it serves to its supervisor."""

import asyncio
import http.client
from collections.abc import Iterable

from worker.http import Answer
from worker.supervision.forking import Process

_HOST = "127.0.0.1"


async def ask(process: Process, path: str, seconds: float) -> Answer | None:
    """What *process* answers; None if it does not answer within *seconds*."""
    try:
        async with asyncio.timeout(seconds):
            return await asyncio.to_thread(_get, process.port, path, seconds)
    except (OSError, http.client.HTTPException):
        return None


async def ask_each(processes: Iterable[Process], path: str, seconds: float) -> dict[Process, Answer | None]:
    """What each of *processes* answers."""
    asked = list(processes)
    answers = await asyncio.gather(*(ask(process, path, seconds) for process in asked))
    return dict(zip(asked, answers, strict=True))


def _get(port: int, path: str, seconds: float) -> Answer:
    connection = http.client.HTTPConnection(_HOST, port, timeout=seconds)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return Answer(response.read(), response.headers["content-type"], response.status)
    finally:
        connection.close()
