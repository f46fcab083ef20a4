"""What is out: the records in a lane's partition of the output topics, as a read-committed reader sees them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from aiokafka import ConsumerRecord, TopicPartition

from persistence.repairs import NotedRecord
from worker.cursors import OUTPUTS, end_offset
from worker.log_reading import log_reader, offsets_at, read_stretch
from worker.record_ids import number_of, record_id_of, state_id_of
from worker.topics import TopicNames


async def scan(
    connection: Mapping[str, Any], names: TopicNames, lane: int, since: datetime | None = None
) -> list[NotedRecord]:
    """Read what *lane* has published, from the beginning or from *since*. Raises UnreachableError if that stalls."""
    roles = {TopicPartition(names.of(role), lane): role for role in OUTPUTS}
    out: list[NotedRecord] = []
    async with log_reader(connection) as consumer:
        ends = {place: await end_offset(consumer._client, place) for place in roles}  # noqa: SLF001  to the very end
        starts = await consumer.beginning_offsets(list(roles))
        if since is not None:
            later = await offsets_at(consumer, list(roles), since)
            starts = {place: ends[place] if at is None else at for place, at in later.items()}
        async for records in read_stretch(consumer, starts, ends):
            out += [_noted(roles[TopicPartition(each.topic, each.partition)], each) for each in records]
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


def _noted(role: str, record: "ConsumerRecord[bytes, bytes]") -> NotedRecord:
    record_id: UUID = record_id_of(role, record.key, record.value, record.headers)
    at = datetime.fromtimestamp(max(0, record.timestamp) / 1000, UTC)
    return NotedRecord(record_id, role, number_of(record.headers), at)
