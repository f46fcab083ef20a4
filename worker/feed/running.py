"""Run one feed for an operator: Ctrl-C ends it in good order, a second one at once."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from typing import TypeVar

from worker.feed.pacing import Pace

_Outcome = TypeVar("_Outcome")


def run_until_stopped(feed: Callable[[Pace], Awaitable[_Outcome]], pace_of: Callable[[], Pace]) -> _Outcome:
    """Run *feed* to its end; SIGINT and SIGTERM end it early, with what was sent acknowledged."""
    # What a client says in passing is said again, in one clear line, by the error that ends the feed.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())

    async def run() -> _Outcome:
        pace = pace_of()
        loop = asyncio.get_running_loop()

        def stop() -> None:
            pace.stop.set()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)
        return await feed(pace)

    return asyncio.run(run())
