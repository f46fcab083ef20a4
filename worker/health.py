"""How the worker is: alive if its event loop turns, ready if it watches its patients; with reasons."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

STALLED_SECONDS = 10.0
_STALE_OUTBOX_SECONDS = 30.0


@dataclass(slots=True)
class Health:
    """What the parts of the worker report; nothing here asks broker or database."""

    clock: Callable[[], float] = time.monotonic
    waiting_for: str | None = "start-up"
    assigned: int = 0
    lanes_assigned: int = 0
    lanes_held: int = 0
    lanes_stopped: dict[int, str] = field(default_factory=dict)
    paused_for: str | None = None
    recovered: int = 0
    unusable: list[str] = field(default_factory=list)  # partitions on which nothing can be used
    unanswered: int = 0  # partitions for which the broker is asked and says nothing
    database_reachable: bool = True
    broker_was_away: bool = False  # when the worker started
    oldest_unsent_seconds: float = 0.0
    lag_seconds: float | None = None  # of the partition that is furthest behind; None while it cannot be told
    is_stopping: bool = False
    ticked_at: float = field(init=False)

    def __post_init__(self) -> None:
        """Count from now."""
        self.ticked_at = self.clock()

    def tick(self) -> None:
        """The event loop has come round."""
        self.ticked_at = self.clock()

    @property
    def is_alive(self) -> bool:
        """Whether the process does anything at all; it never depends on broker or database."""
        return self.clock() - self.ticked_at < STALLED_SECONDS

    def reasons(self) -> list[str]:
        """Why the worker is not ready, in words; none if it is.

        A worker without a partition is ready: it stands by for the others.
        """
        found = {
            f"waiting for {self.waiting_for}": self.waiting_for is not None,
            "stopping": self.is_stopping,
            "the database does not answer": not self.database_reachable,
            f"input is paused: {self.paused_for}": self.paused_for is not None,
            f"the broker does not answer for {self.unanswered} of {self.assigned} partitions": self.unanswered
            > 0,
            f"{self.assigned - self.recovered} of {self.assigned} partitions are not read from yet": (
                self.recovered < self.assigned
            ),
            f"{self.lanes_assigned - self.lanes_held} of {self.lanes_assigned} lanes are not published": (
                self.lanes_held < self.lanes_assigned
            ),
            f"an alert has been waiting for {self.oldest_unsent_seconds:.0f} s to be published": (
                self.oldest_unsent_seconds > _STALE_OUTBOX_SECONDS
            ),
        }
        unusable = [f"{place} is paused: nothing on it can be used" for place in self.unusable]
        return [*(reason for reason, applies in found.items() if applies), *unusable] + [
            f"lane {lane} has stopped: {reason}" for lane, reason in sorted(self.lanes_stopped.items())
        ]

    def report(self) -> dict[str, object]:
        """What `/health/ready` says."""
        reasons = self.reasons()
        return {
            "ready": not reasons,
            "reasons": reasons,
            "assigned_partitions": self.assigned,
            "lanes_held": self.lanes_held,
            "lanes_stopped": sorted(self.lanes_stopped),
            "paused_for": self.paused_for,
            "unusable_partitions": self.unusable,
            "database_reachable": self.database_reachable,
            "oldest_unsent_seconds": round(self.oldest_unsent_seconds, 3),
        }
