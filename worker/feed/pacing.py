"""How fast a feed goes: by its own clock, that clock sped up, or as fast as the broker takes it."""

import asyncio
from dataclasses import dataclass, field


@dataclass(slots=True)
class Pace:
    """Turns the feed's clock into waiting; *speed_up* None waits for nothing.

    *stop* ends the feed at once, *seconds* of real time end it in any case.
    """

    speed_up: float | None
    seconds: float | None = None
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    _begun_at: float | None = field(default=None, init=False)
    _first_ms: int = field(default=0, init=False)

    async def wait_for(self, due_ms: int) -> bool:
        """Wait until *due_ms* on the feed's clock; False when the feed is to end instead."""
        now = asyncio.get_running_loop().time()
        if self._begun_at is None:
            self._begun_at, self._first_ms = now, due_ms
        begun_at = self._begun_at
        at = now if self.speed_up is None else begun_at + (due_ms - self._first_ms) / 1000 / self.speed_up
        ends_at = float("inf") if self.seconds is None else begun_at + self.seconds
        await self._sleep(min(at, ends_at) - now)
        return not self.stop.is_set() and max(at, now) < ends_at

    def is_due(self, due_ms: int) -> bool:
        """Whether *due_ms* has come, so that there is nothing to wait for."""
        if self.speed_up is None:
            return True
        if self._begun_at is None:
            return False
        passed = asyncio.get_running_loop().time() - self._begun_at
        return (due_ms - self._first_ms) / 1000 / self.speed_up <= passed

    async def _sleep(self, seconds: float) -> None:
        if seconds > 0:
            try:
                await asyncio.wait_for(self.stop.wait(), seconds)
            except TimeoutError:
                return
