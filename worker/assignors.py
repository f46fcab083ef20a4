"""Who is given which partitions: partition n of both input topics to one worker, and none to nobody."""

from collections.abc import Sequence

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.range import RangePartitionAssignor

from worker.internals import join_again, partitions_known

log = structlog.get_logger(__name__)


class Assignment:
    """What a worker offers its group, and whether the group must be asked again.

    A worker with a name of its own that comes back is given what it had, without a new assignment, as long as the
    group would choose the assignor it chose before; and from then on nobody may be looking for partitions that are
    added. So the number of partitions is part of the assignor's name, and every worker looks for itself. Of workers
    without names aiokafka's leader looks.

    One assignor is offered, not two: aiokafka joins the group once for each of them, and several workers that start
    together, each joining twice, make one another join anew without end.
    """

    def __init__(self, topics: Sequence[str], partitions: Sequence[int], *, is_named: bool) -> None:
        self._topics = tuple(topics)
        self._partitions = tuple(partitions)
        self._is_named = is_named
        self.assignors = [_counting(self._partitions) if is_named else RangePartitionAssignor]

    def look(self, consumer: AIOKafkaConsumer) -> None:
        """Ask the group for a new assignment if *consumer* has heard of more partitions than before."""
        if not self._is_named:
            return
        known = partitions_known(consumer, self._topics)
        if known == self._partitions or any(
            now < before for now, before in zip(known, self._partitions, strict=True)
        ):
            return  # fewer: the broker has not told of all of them
        log.warning("partitions_added", partitions=known, before=self._partitions)
        self._partitions = known
        # A join may be under way: what was offered before stays, behind the new.
        self.assignors = [_counting(known), *self.assignors]
        join_again(consumer, self.assignors)


def _counting(partitions: Sequence[int]) -> type[RangePartitionAssignor]:
    name = "-".join(["range", *(str(count) for count in partitions)])
    return type("CountingAssignor", (RangePartitionAssignor,), {"name": name})
