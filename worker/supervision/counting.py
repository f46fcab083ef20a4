"""How many processes a worker has: what was asked for, or what the processors are good for."""

import os
from pathlib import Path

AUTO = "auto"
_AT_MOST = 4
_LEFT_TO_OTHERS = 1  # the broker and the database want some, too, where they are on the same machine
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def how_many(asked: str, *, processors: float, partitions: int) -> int:
    """The number *asked* for; for `auto` one for every processor but one, at most 4 and one for each partition."""
    if asked != AUTO:
        return int(asked)
    return max(1, min(int(processors) - _LEFT_TO_OTHERS, _AT_MOST, partitions))


def usable_processors(quota: Path = _QUOTA) -> float:
    """How many processors this process may use: those it is bound to, or less where a container has less."""
    bound_to = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        return min(float(bound_to), quota_in(quota.read_text("utf-8")))
    except (OSError, ValueError):
        return float(bound_to)


def quota_in(text: str) -> float:
    """The processors that a control group's `cpu.max` allows, as `200000 100000`; `max` allows all."""
    allowed, period = text.split()
    return float("inf") if allowed == "max" else int(allowed) / int(period)
