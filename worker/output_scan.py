"""What is out: the records in a lane's partition of the output topics, as a read-committed reader sees them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from persistence.repairs import NotedRecord
from worker import lenient_records
from worker.cursors import OUTPUTS, end_offset
from worker.record_ids import record_id_of, state_id_of
from worker.topics import TopicNames

_STALLED_SECONDS = 30.0
_POLL_MS = 500
_MOST_DIGITS = 20


async def scan(
    connection: Mapping[str, Any], names: TopicNames, lane: int, since: datetime | None = None
) -> list[NotedRecord]:
    """Read what *lane* has published, from the beginning or from *since*; raises TimeoutError if that stalls."""
    roles = {TopicPartition(names.of(role), lane): role for role in OUTPUTS}
    async with _consumer(connection) as consumer:
        consumer.assign(list(roles))
        ends = {place: await end_offset(consumer._client, place) for place in roles}  # noqa: SLF001  to the very end
        await _set_back(consumer, roles, since)
        out: list[NotedRecord] = []
        while await _is_behind(consumer, ends):
            async with asyncio.timeout(_STALLED_SECONDS):
                out += await _next(consumer, roles)
    return out


def with_states(out: list[NotedRecord]) -> list[NotedRecord]:
    """*out*, with the alarm states that must have been out but that compaction may have removed.

    An alarm's state follows its alert; so it is out if anything with a higher number than the alert's is.
    """
    highest = max((each.seq for each in out), default=0)
    seen = {each.record_id for each in out}
    alerts = [each for each in out if each.topic == "alerts" and each.seq < highest]
    states = [
        NotedRecord(state_id_of(each.record_id), "alarm_state", each.seq + 1, each.published_at)
        for each in alerts
    ]
    return out + [state for state in states if state.record_id not in seen]


@asynccontextmanager
async def _consumer(connection: Mapping[str, Any]) -> AsyncIterator[AIOKafkaConsumer]:
    lenient_records.install()
    consumer = AIOKafkaConsumer(
        **connection, isolation_level="read_committed", enable_auto_commit=False, auto_offset_reset="earliest"
    )
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()


async def _set_back(
    consumer: AIOKafkaConsumer, places: Mapping[TopicPartition, str], since: datetime | None
) -> None:
    await consumer.seek_to_beginning(*places)
    if since is None:
        return
    found = await consumer.offsets_for_times(dict.fromkeys(places, int(since.timestamp() * 1000)))
    for place, start in found.items():
        if start is None:  # nothing as new as that
            await consumer.seek_to_end(place)
        else:
            consumer.seek(place, start.offset)


async def _is_behind(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> bool:
    return any([await consumer.position(place) < end for place, end in ends.items()])


async def _next(consumer: AIOKafkaConsumer, roles: Mapping[TopicPartition, str]) -> list[NotedRecord]:
    fetched = await consumer.getmany(timeout_ms=_POLL_MS)
    return [_noted(roles[place], record) for place, records in fetched.items() for record in records]


def _noted(role: str, record: "ConsumerRecord[bytes, bytes]") -> NotedRecord:
    record_id: UUID = record_id_of(role, record.key, record.value, record.headers)
    at = datetime.fromtimestamp(max(0, record.timestamp) / 1000, UTC)
    return NotedRecord(record_id, role, _sequence(record), at)


def _sequence(record: "ConsumerRecord[bytes, bytes]") -> int:
    """The number the publisher gave it; 0 if it bears none, so that it was not ours."""
    text = dict(record.headers).get("ce_sequence") or b""
    return int(text) if text.isdigit() and len(text) <= _MOST_DIGITS else 0
