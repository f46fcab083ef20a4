"""What of a replay that was cut off is in the log after all: looked for by the id each record bore."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition

from domain.times import to_ms
from persistence.replays import Attempt
from worker import lenient_records
from worker.dead_letters.rounds import REPLAY_ID_HEADER

_SKEW = timedelta(minutes=1)  # between the database's clock and the broker's
_POLL_MS = 200


async def found_in_log(connection: Mapping[str, Any], attempts: Sequence[Attempt]) -> set[UUID]:
    """Return the ids of those *attempts* whose record the broker has."""
    lenient_records.install()
    since = {
        TopicPartition(*partition): to_ms(min(at for at in times) - _SKEW)
        for partition, times in _times_by_partition(attempts).items()
    }
    consumer = AIOKafkaConsumer(**connection, enable_auto_commit=False)
    await consumer.start()
    try:
        return await _ids_since(consumer, since) & {attempt.replay_id for attempt in attempts}
    finally:
        await consumer.stop()


def _times_by_partition(attempts: Iterable[Attempt]) -> dict[tuple[str, int], list[Any]]:
    times: dict[tuple[str, int], list[Any]] = {}
    for attempt in attempts:
        times.setdefault((attempt.place.topic, attempt.place.partition), []).append(attempt.tried_at)
    return times


async def _ids_since(consumer: AIOKafkaConsumer, since: Mapping[TopicPartition, int]) -> set[UUID]:
    """Read each partition from its moment to its present end."""
    consumer.assign(list(since))
    ends = await consumer.end_offsets(list(since))
    unread = {
        partition: ends[partition]
        for partition, found in (await consumer.offsets_for_times(dict(since))).items()
        if found is not None and _sought(consumer, partition, found.offset) < ends[partition]
    }
    consumer.pause(*(since.keys() - unread.keys()))
    ids: set[UUID] = set()
    while unread:
        for records in (await consumer.getmany(timeout_ms=_POLL_MS)).values():
            ids.update(each for record in records if (each := _replay_id(record.headers)) is not None)
        for partition, end in list(unread.items()):
            if await consumer.position(partition) >= end:
                del unread[partition]
    return ids


def _sought(consumer: AIOKafkaConsumer, partition: TopicPartition, offset: int) -> int:
    consumer.seek(partition, offset)
    return offset


def _replay_id(headers: Sequence[tuple[str, bytes | None]]) -> UUID | None:
    for name, value in reversed(headers):
        if name == REPLAY_ID_HEADER:
            try:
                return UUID((value or b"").decode("ascii"))
            except ValueError:
                return None
    return None
