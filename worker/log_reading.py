"""A stretch of the log, read committed, from a moment or an offset to an end: for commands that look at all of it."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from worker import lenient_records
from worker.errors import UnreachableError

_STALLED_SECONDS = 30.0
_POLL_MS = 500
_MOST_RECORDS = 5_000


@asynccontextmanager
async def log_reader(connection: Mapping[str, Any]) -> AsyncIterator[AIOKafkaConsumer]:
    """Lend a consumer that belongs to no group and shows what is committed."""
    lenient_records.install()
    consumer = AIOKafkaConsumer(
        **connection, isolation_level="read_committed", enable_auto_commit=False, auto_offset_reset="earliest"
    )
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()


async def offsets_at(
    consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition], moment: datetime
) -> dict[TopicPartition, int | None]:
    """The first offset of each partition that is not older than *moment*; None where nothing is as new."""
    found = await consumer.offsets_for_times(dict.fromkeys(partitions, int(moment.timestamp() * 1000)))
    return {place: None if at is None else at.offset for place, at in found.items()}


async def read_stretch(
    consumer: AIOKafkaConsumer, starts: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
) -> AsyncIterator[list["ConsumerRecord[bytes, bytes]"]]:
    """Yield what lies between *starts* and *ends*, some records at a time, each partition in the order of its log.

    Raises UnreachableError if nothing moves for half a minute.
    """
    places = [place for place, start in starts.items() if start < ends[place]]
    consumer.assign(places)
    for place in places:
        consumer.seek(place, starts[place])
    moved_at = time.monotonic()
    while behind := [place for place in places if await consumer.position(place) < ends[place]]:
        fetched = await consumer.getmany(*behind, timeout_ms=_POLL_MS, max_records=_MOST_RECORDS)
        records = [record for some in fetched.values() for record in some]
        if records:
            moved_at = time.monotonic()
            yield [each for each in records if each.offset < ends[TopicPartition(each.topic, each.partition)]]
        elif time.monotonic() - moved_at > _STALLED_SECONDS:
            raise UnreachableError(
                f"the log of {behind[0].topic} could not be read for {_STALLED_SECONDS:g} s"
            )
