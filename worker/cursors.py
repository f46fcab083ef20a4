"""The published cursor: how far a lane has been published, read so that an error is never taken for absence."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.structs import OffsetAndMetadata

from worker.topics import TopicNames

OUTPUTS = ("alerts", "alerts_test", "alarm_state", "dead_letters")
"""The roles of the topics that a lane's numbered records go to."""

_LATEST = -1
_NO_OFFSET = -1
_READ_UNCOMMITTED = 0
_PAUSE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Cursor:
    """The number of the last published row of a lane, and that row's nonce; 0 and none before the first."""

    seq: int = 0
    nonce: UUID | None = None

    def as_offset(self) -> OffsetAndMetadata:
        """As it is committed in the lane's transaction."""
        return OffsetAndMetadata(self.seq, "" if self.nonce is None else str(self.nonce))


def cursor_group(group: str) -> str:
    """The member-less consumer group that holds the cursors."""
    return f"{group}.published"


async def read_cursor(client: AIOKafkaClient, group: str, partition: TopicPartition) -> Cursor | None:
    """Read the cursor of *partition* once: as a `CursorReader` does, which remembers whom to ask."""
    return await CursorReader(client, group, partition).read()


class CursorReader:
    """Reads one lane's cursor, again and again if need be, from the broker that answers for the group."""

    def __init__(self, client: AIOKafkaClient, group: str, partition: TopicPartition) -> None:
        self._client = client
        self._group = cursor_group(group)
        self._partition = partition
        self._node: int | None = None

    async def read(self) -> Cursor | None:
        """The cursor; None only if the coordinator says, without error, that there is none.

        aiokafka's own `committed()` answers "none" when the coordinator answered with an error, so the
        answer is looked at here and asked for again until it bears none. The caller bounds the time.
        """
        while True:
            try:
                return await self._ask()
            except KafkaError as error:
                self._node = None
                if not error.retriable:
                    raise
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _ask(self) -> Cursor | None:
        if self._node is None:
            self._node = await self._client.coordinator_lookup(CoordinationType.GROUP, self._group)
        request = OffsetFetchRequest(self._group, [(self._partition.topic, [self._partition.partition])])
        return cursor_in(await self._client.send(self._node, request), self._partition)


def cursor_in(response: object, partition: TopicPartition) -> Cursor | None:
    """The cursor in an answer of the coordinator. Raises the error that the answer bears, at either level."""
    _raise_for(getattr(response, "error_code", 0))
    for topic, partitions in response.topics:  # type: ignore[attr-defined]  # a struct made from its schema
        for number, offset, metadata, error_code in partitions:
            if TopicPartition(topic, number) == partition:
                _raise_for(error_code)
                return None if offset == _NO_OFFSET else Cursor(offset, _nonce(metadata))
    raise _UnansweredError("the coordinator said nothing of the partition that was asked for")


def _nonce(metadata: str | None) -> UUID | None:
    """The nonce a cursor bears; None where a tool wrote the offset without one."""
    try:
        return UUID(metadata) if metadata else None
    except ValueError:
        return None


async def cursor_of_lane(
    client: AIOKafkaClient, group: str, names: TopicNames, lane: int, birth: UUID | None
) -> Cursor | None:
    """Where *lane* goes on; None where nobody can say.

    A lane that has published nothing begins at 0, which bears the nonce the lane was born with, *birth*;
    while nothing is out, it does so whatever its cursor bears. As soon as something is out, a 0 must bear that
    nonce: a tool that resets a cursor to the earliest offset writes a 0 as well.
    """
    cursor = await read_cursor(client, group, TopicPartition(names.alerts, lane))
    if cursor is not None and cursor.seq:
        return cursor
    for role in OUTPUTS:
        if await end_offset(client, TopicPartition(names.of(role), lane)):
            return cursor
    return Cursor(0, birth)


async def end_offset(client: AIOKafkaClient, partition: TopicPartition) -> int:
    """Where *partition* ends, open transactions included; 0 means that nothing was ever written to it."""
    request = OffsetRequest(-1, _READ_UNCOMMITTED, [(partition.topic, [(partition.partition, _LATEST)])])
    while True:
        await client._wait_on_metadata(partition.topic)  # noqa: SLF001 (the producer's own way to know a topic)
        leader = client.cluster.leader_for_partition(partition)
        try:
            if leader is not None and leader >= 0:
                ((_, ((_, error_code, _, offset),)),) = (await client.send(leader, request)).topics
                _raise_for(error_code)
                return int(offset)
        except KafkaError as error:
            if not error.retriable:
                raise
        client.force_metadata_update()
        await asyncio.sleep(_PAUSE_SECONDS)


def _raise_for(error_code: int) -> None:
    if error_code:
        raise for_code(error_code)


class _UnansweredError(KafkaError):  # type: ignore[misc]  # aiokafka has no types
    """An answer that does not speak of what was asked: ask again."""

    retriable = True
