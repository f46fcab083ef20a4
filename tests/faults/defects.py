"""Planted defects: `vigil run` with one thing done wrong, so that it can be seen that the matrix notices.

`python -m tests.faults.defects NAME run` is how the faults' own workers are started then; no other worker ever is.
"""

import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer

from worker.cli import main
from worker.fault_points import FaultPoint, passing
from worker.intake import Intake
from worker.parts import Worker


@dataclass(frozen=True, slots=True)
class Patch:
    """What is put in the place of *owner*'s *name*; it is given what was there."""

    owner: type
    name: str
    around: Callable[[Callable[..., Any]], Callable[..., Any]]

    def apply(self) -> None:
        setattr(self.owner, self.name, self.around(getattr(self.owner, self.name)))


def _from_group_offsets(recover: Callable[[Intake], Awaitable[None]]) -> Callable[[Intake], Awaitable[None]]:
    async def recovered(intake: Intake) -> None:
        await recover(intake)
        for partition, position in intake._positions.items():
            committed = await intake.consumer.committed(partition) if intake.consumer else None
            if intake.consumer and committed is not None:
                position.expected = committed
                intake.consumer.seek(partition, committed)

    return recovered


def _with_an_id_of_its_own(make: Callable[[Worker, int], AIOKafkaProducer]) -> Callable[[Worker, int], Any]:
    def made(worker: Worker, lane: int) -> AIOKafkaProducer:
        producer = make(worker, lane)
        producer._txn_manager.transactional_id += f".{os.getpid()}"
        return producer

    return made


def _later(_: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    async def noted(producer: Any, offsets: object, group: str) -> None:
        producer.cursor_to_set = offsets, group

    return noted


_set_cursor, _commit = AIOKafkaProducer.send_offsets_to_transaction, AIOKafkaProducer.commit_transaction


def _and_then_the_cursor(commit: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
    async def committed(producer: Any) -> None:
        await commit(producer)
        passing(FaultPoint.AFTER_KAFKA_COMMIT)
        await producer.begin_transaction()
        await _set_cursor(producer, *producer.cursor_to_set)
        await _commit(producer)

    return committed


DEFECTS: Mapping[str, list[Patch]] = {
    "group-offsets": [Patch(Intake, "_recover", _from_group_offsets)],
    "id-per-worker": [Patch(Worker, "_producer", _with_an_id_of_its_own)],
    "publish-then-mark": [
        Patch(AIOKafkaProducer, "send_offsets_to_transaction", _later),
        Patch(AIOKafkaProducer, "commit_transaction", _and_then_the_cursor),
    ],
}

CAUGHT_BY: Mapping[str, list[str]] = {
    "group-offsets": ["killed after-commit", "killed at random moments"],
    "id-per-worker": ["zombie just taken over"],
    "publish-then-mark": ["killed after-kafka-commit"],
}
"""Rows that each must make fail."""


if __name__ == "__main__":
    for patch in DEFECTS[sys.argv.pop(1)]:
        patch.apply()
    main()
