"""Fault points: places at which a test of ours lets the worker die or freeze; in operation nothing happens there."""

import os
import resource
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import orjson

from worker.errors import SettingsError


class FaultPoint(StrEnum):
    """Where the worker can be made to end, named by what has just happened or is about to."""

    BEFORE_CLAIM = "before-claim"
    AFTER_INSERT = "after-insert"
    BEFORE_COMMIT = "before-commit"
    AFTER_COMMIT = "after-commit"
    TAKING_LANE_AFTER_PRODUCER_START = "taking-lane-after-producer-start"
    TAKING_LANE_AFTER_CURSOR = "taking-lane-after-cursor"
    MID_KAFKA_TRANSACTION = "mid-kafka-transaction"  # the records are out, the cursor may not be
    BEFORE_KAFKA_COMMIT = "before-kafka-commit"
    AFTER_KAFKA_COMMIT = "after-kafka-commit"


@dataclass(slots=True)
class _Armed:
    """The points that are waited for, how many times they are still to be passed, and what happens then.

    With *only_while* it happens each time they are passed, but only while that file is there.
    """

    points: frozenset[FaultPoint]
    remaining: int
    strike: Callable[[], object]
    only_while: Path | None

    def pass_by(self, point: FaultPoint) -> None:
        if self.only_while is not None:
            if not self.only_while.exists():
                return
            self.remaining = 1
        self.remaining -= 1
        if self.remaining:
            return
        told = {"event": "fault_point_reached", "point": point, "at": time.time()}
        os.write(2, orjson.dumps(told) + b"\n")  # past every buffer: nothing may come after it
        self.strike()


def _signal(number: signal.Signals) -> Callable[[], object]:
    return lambda: os.kill(os.getpid(), number)


def _stall() -> None:
    """Hold up the event loop, and all that lives in it."""
    time.sleep(_STALL_SECONDS)


def _exhaust() -> None:
    """Leave no memory to speak of: from here on whatever needs more than a little gets a MemoryError."""
    in_use = int(_MEMORY.read_text("utf-8").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (in_use, resource.RLIM_INFINITY))


_STALL_SECONDS = 15.0  # longer than any session
_MEMORY = Path("/proc/self/statm")
_STRIKES: Mapping[str, Callable[[], object]] = {
    "": _signal(signal.SIGKILL),
    "stop": _signal(signal.SIGSTOP),
    "stall": _stall,
    "exhaust": _exhaust,
}
_armed: _Armed | None = None


def arm(asked: str | None) -> None:
    """Arm what VIGIL_FAULT_POINT asks for: names of points parted by commas, a colon, how many times they are passed.

    Then the worker is killed (SIGKILL). With `:stop` behind it, it freezes, with `:stall` its event loop stands still
    for a while, with `:exhaust` it gets no more memory; with another colon and FILE, whenever it is at one of the
    points while FILE exists. Raises SettingsError.
    """
    global _armed  # noqa: PLW0603  one per process, set once at its start  # pylint: disable=global-statement
    if asked is None:
        return
    names, count, action, file = [*asked.split(":", 3), "", "", ""][:4]
    try:
        points = frozenset(FaultPoint(name) for name in names.split(","))
        _armed = _Armed(points, max(1, int(count or 1)), _STRIKES[action], Path(file) if file else None)
    except (ValueError, KeyError):
        raise SettingsError(
            f"VIGIL_FAULT_POINT: {asked!r} is for tests only and names no fault point"
        ) from None


def passing(point: FaultPoint) -> None:
    """Say that the worker is at *point*."""
    if _armed is not None and point in _armed.points:
        _armed.pass_by(point)
