"""Output topics read as any pager would: from where one must begin, to the end and on."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from worker.watch_ward import Arrival

_LAST_HEARTBEATS = 30  # offsets from the end: a transaction's marks take some of them
_POLL_MS = 500
_MAX_RECORDS = 5000
_IDLE_POLLS = 2  # polls without a record: what is left before the end are a transaction's marks
_CATCH_UP_SECONDS = 30.0

Take = Callable[[Arrival], None]


@contextmanager
def client_kept_quiet() -> Iterator[None]:
    """Keep the client's own words off the screen: what matters of them is told in one line, or by the page."""
    logger = logging.getLogger("aiokafka")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


class TopicReader:
    """Reads what is new and hands it to the view."""

    def __init__(self, consumer: AIOKafkaConsumer, takers: Mapping[str, Take]) -> None:
        self._consumer = consumer
        self._takers = takers

    async def read(self) -> bool:
        """Take in what has come, waiting half a second at most; False if nothing has."""
        batches = await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=_MAX_RECORDS)
        for partition, records in batches.items():
            for record in records:
                self._takers[partition.topic](arrival_of(record))
        return bool(batches)

    async def catch_up(self) -> None:
        """Read all that is in the topics by now, so that no half of the past is shown as the present."""
        ends = await self._consumer.end_offsets(self._consumer.assignment())
        deadline = time.monotonic() + _CATCH_UP_SECONDS
        idle = 0
        while idle < _IDLE_POLLS and time.monotonic() < deadline and await self._is_before(ends):
            idle = 0 if await self.read() else idle + 1

    async def _is_before(self, ends: Mapping[TopicPartition, int]) -> bool:
        return any([await self._consumer.position(partition) < end for partition, end in ends.items()])


def arrival_of(record: Any) -> Arrival:  # noqa: ANN401  aiokafka's record, whose types are its own
    headers = dict(record.headers)
    sequence = headers.get("ce_sequence") or b""
    return Arrival(
        key=record.key,
        value=record.value,
        sequence=int(sequence) if sequence.isdigit() else 0,
        at=datetime.fromtimestamp(record.timestamp / 1000, UTC),
    )


async def begin_with_last(
    consumer: AIOKafkaConsumer, beats: Sequence[TopicPartition], ends: Mapping[TopicPartition, int]
) -> None:
    """Let the last heartbeats of each lane be read again."""
    for partition, beginning in (await consumer.beginning_offsets(beats)).items():
        consumer.seek(partition, max(beginning, ends[partition] - _LAST_HEARTBEATS))
