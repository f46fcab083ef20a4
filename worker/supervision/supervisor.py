"""Looks after the processes of a worker: lets them begin, tells them to stop, and ends with the first that ends."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog

from worker.http import application, serving
from worker.settings import Settings
from worker.supervision.answering import Household, routes
from worker.supervision.asking import ask_each
from worker.supervision.forking import Process

_LOOK_SECONDS = 1.0
_END_SECONDS = 9.4  # whoever runs us waits for ten before it kills
_KILLED = 128  # added to the number of the signal, as a shell does

log = structlog.get_logger(__name__)


class Supervisor:
    """The parent of a worker's processes; it does none of their work."""

    def __init__(self, settings: Settings, processes: Sequence[Process]) -> None:
        self._settings = settings
        self._household = Household(list(processes))
        self._dismissed: list[Process] = []
        self._stop, self._over = asyncio.Event(), asyncio.Event()
        self._ended_first: Process | None = None

    async def run(self, listening: socket.socket) -> int:
        """Look after the processes until all have ended; returns what to end with."""
        self._listen_to_signals()
        async with serving(application(routes(self._household)), listening) as port, self._looking(port):
            await self._stop.wait()
            log.info("supervisor_stopping")
            self._tell(signal.SIGTERM)
            if not await self._over_within(_END_SECONDS):
                log.error("processes_killed", seconds=_END_SECONDS)
                self._tell(signal.SIGKILL)
                await self._over.wait()
        return exit_code(self._household.processes, self._ended_first)

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGCHLD, self._note_ends)
        self._note_ends()  # of those that ended before anybody listened

    def _note_ends(self) -> None:
        for each in self._dismissed:
            each.has_ended()
        ended = [each for each in self._household.processes if each.has_ended()]
        if ended and not self._stop.is_set():
            self._ended_first = ended[0]
            log.error("process_ended", process=ended[0].number, exit_code=ended[0].exit_code)
            self._stop.set()
        if len(ended) == len(self._household.processes):
            self._over.set()

    def _tell(self, number: signal.Signals) -> None:
        for each in self._household.processes:
            each.signal(number)

    async def _over_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._over.wait()
        except TimeoutError:
            return False

    @asynccontextmanager
    async def _looking(self, port: int) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(self._let_begin(port), name="begin"),
            asyncio.create_task(self._look(), name="look"),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _let_begin(self, port: int) -> None:
        """Let the others begin once the first has found all as it must be: it speaks of what is missing for all."""
        first, *others = self._household.processes
        told = await asyncio.get_running_loop().sock_recv(first.leash, 16)
        if not told:
            return  # it has ended
        log.info("http_served", host=self._settings.http_host, port=port)
        self._household.processes = [first, *others[: int(told) - 1]]
        self._dismissed = others[int(told) - 1 :]
        for each in self._dismissed:
            each.dismiss()
        for each in self._household.processes[1:]:
            each.let_go()
            self._household.seen(each)
        log.info(
            "processes_started", processes=len(self._household.processes), dismissed=len(self._dismissed)
        )

    async def _look(self) -> None:
        """See again and again which processes live."""
        while True:
            for process, answer in (
                await ask_each(self._household.begun, "/health/live", _LOOK_SECONDS)
            ).items():
                if answer is not None and answer.is_good:
                    self._household.seen(process)
            await asyncio.sleep(_LOOK_SECONDS)


def exit_code(processes: Sequence[Process], ended_first: Process | None) -> int:
    """What a worker ends with: with what ended its first process; 0 if it was told to stop and all ended well.

    A process that was told to stop before it could listen has ended well.
    """
    codes = [each.exit_code or 0 for each in processes]
    decisive = (
        ended_first.exit_code or 0
        if ended_first
        else next((code for code in codes if code not in (0, -signal.SIGTERM)), 0)
    )
    return decisive if decisive >= 0 else _KILLED - decisive
