"""The consumer group: who is in it, and which lanes each member is given."""

from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.model.workers import Worker


class Group:
    """A group that rebalances eagerly; a member that does not hear of it goes on as before."""

    def __init__(self, rng: Random, lanes: int) -> None:
        self.generation = 0
        self.members: list[Worker] = []
        self._rng = rng
        self._lanes = lanes

    def join(self, worker: "Worker") -> None:
        """Take *worker* in."""
        self.members.append(worker)
        self.rebalance()

    def leave(self, worker: "Worker") -> None:
        """Let *worker* go, if it was in."""
        if worker in self.members:
            self.members.remove(worker)
            self.rebalance()

    def rebalance(self) -> None:
        """Begin a new generation."""
        self._rng.shuffle(self.members)
        self.generation += 1

    def lanes_of(self, worker: "Worker") -> set[int]:
        """The lanes *worker* holds in this generation."""
        place = self.members.index(worker)
        return {lane for lane in range(self._lanes) if lane % len(self.members) == place}
