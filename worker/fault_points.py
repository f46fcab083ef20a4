"""Fault points: places at which a test of ours lets the worker die or freeze; in operation nothing happens there."""

import os
import signal
import time
from dataclasses import dataclass
from enum import StrEnum

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
    """The point that is waited for, how many times it is still to be passed, and the signal then."""

    point: FaultPoint
    remaining: int
    signal: signal.Signals

    def pass_by(self) -> None:
        self.remaining -= 1
        if self.remaining:
            return
        told = {"event": "fault_point_reached", "point": self.point, "at": time.time()}
        os.write(2, orjson.dumps(told) + b"\n")  # past every buffer: nothing comes after it
        os.kill(os.getpid(), self.signal)


_armed: _Armed | None = None


def arm(asked: str | None) -> None:
    """Arm what VIGIL_FAULT_POINT asks for: a point's name, a colon, how many times, and `:stop` to freeze.

    Without it the worker is killed (SIGKILL). Raises SettingsError.
    """
    global _armed  # noqa: PLW0603  one per process, set once at its start  # pylint: disable=global-statement
    if asked is None:
        return
    name, _, rest = asked.partition(":")
    count, _, action = rest.partition(":")
    try:
        number = signal.SIGSTOP if action == "stop" else signal.SIGKILL
        _armed = _Armed(FaultPoint(name), max(1, int(count or 1)), number)
    except ValueError:
        raise SettingsError(
            f"VIGIL_FAULT_POINT: {asked!r} is for tests only and names no fault point"
        ) from None


def passing(point: FaultPoint) -> None:
    """Say that the worker is at *point*."""
    if _armed is not None and _armed.point is point:
        _armed.pass_by()
