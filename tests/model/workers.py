"""A worker: its membership in the group, its intake, its timers, its lanes' publishers, each a task of its own."""

from typing import TYPE_CHECKING

from tests.model.broker import InputPartition, Steps
from tests.model.charting import Row
from tests.model.intake import Position, keep_intake
from tests.model.publishing import keep_lane
from tests.model.ticking import keep_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.model.world import World


class Worker:
    """What one process remembers; nothing of it survives a kill."""

    def __init__(self, world: "World", name: str) -> None:
        self.world = world
        self.name = name
        self.is_paused_until = 0
        self.generation = 0
        self.assignment: set[InputPartition] = set()
        self.positions: dict[InputPartition, Position] = {}
        self.must_recover = False
        self.may_take = False
        self.has_turn = False
        self.lanes: dict[int, Steps] = {}
        self.memory: dict[int, list[Row]] = {}
        self.tasks: list[Steps] = [
            keep_membership(self),
            keep_intake(self),
            keep_time(self),
            keep_group_offsets(self),
        ]

    def kill(self) -> None:
        """End every task where it stands, as kill -9 does."""
        for task in self.tasks:
            task.close()
        self.tasks.clear()

    def take_turn(self) -> Steps:
        """Wait for the turn: a batch and a pass over the timers are never under way at once."""
        while self.has_turn:
            yield
        self.has_turn = True

    def start_over(self) -> None:
        """Forget where we are and look it up again."""
        self.positions.clear()
        self.must_recover = True

    def remember(self, queued: "Sequence[tuple[int, Row]]") -> None:
        """Keep what was queued; only a defect publishes from it."""
        for lane, row in queued:
            self.memory.setdefault(lane, []).append(row)

    def revoked(self) -> None:
        """Nothing is ours until the next assignment; held lanes go on, no other is taken."""
        self.assignment = set()
        self.positions.clear()
        self.may_take = False

    def assigned(self, lanes: set[int]) -> None:
        """Partition n of each input topic and lane n go together."""
        self.assignment = {(topic, lane) for topic in ("readings", "commands") for lane in lanes}
        self.start_over()
        for lane in self.lanes.keys() - lanes:
            keeper = self.lanes.pop(lane)
            self.tasks.remove(keeper)
            keeper.close()
        for lane in lanes - self.lanes.keys():
            self.lanes[lane] = keep_lane(self, lane)
            self.tasks.append(self.lanes[lane])
        self.may_take = True


def keep_membership(worker: Worker) -> Steps:
    """Learn of rebalances, late."""
    group = worker.world.group
    while True:
        yield
        if worker.generation == group.generation and worker in group.members:
            continue
        worker.revoked()
        yield
        if worker not in group.members:
            group.join(worker)
        worker.generation = group.generation
        worker.assigned(group.lanes_of(worker))


def keep_group_offsets(worker: Worker) -> Steps:
    """Commit positions plainly now and then, so that lag can be seen; such a commit may come very late."""
    while True:
        for _ in range(4):
            yield
        offsets = {partition: position.expected for partition, position in worker.positions.items()}
        for partition, offset in offsets.items():
            yield
            worker.world.broker.group_offsets[partition] = offset
