"""How lanes stand: whether what each has published and what is stored fit together."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aiokafka.client import AIOKafkaClient
from sqlalchemy.ext.asyncio import AsyncEngine

from persistence.unit_of_work import unit_of_work
from worker.cursors import Cursor, cursor_of_lane
from worker.topics import TopicNames


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a Vigil's lanes are: their tables, their topics, the group that holds their cursors."""

    engine: AsyncEngine
    names: TopicNames
    group: str
    connection: Mapping[str, Any]  # what a client of the broker is made with


class Finding(StrEnum):
    """Whether a lane can be published."""

    SOUND = "sound"
    NO_CURSOR = "stopped: records are out, but there is no cursor"
    OTHER_RECORD = "stopped: the record under the cursor is not the one that was published, or there is none"
    NUMBER_MISSING = "stopped: a number beyond the cursor is missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneStanding:
    """One lane, seen from its cursor."""

    lane: int
    epoch: int
    last_seq: int
    cursor: Cursor | None
    waiting: int
    finding: Finding

    @property
    def is_sound(self) -> bool:
        """Whether it can be published as it is."""
        return self.finding is Finding.SOUND


async def standing_of(place: Place, client: AIOKafkaClient, lane: int) -> LaneStanding:
    """Look at *lane*; nothing is changed, and its publisher is not disturbed."""
    async with unit_of_work(place.engine) as work:
        birth = (await work.lanes.standing(lane, 0)).nonce
    cursor = await cursor_of_lane(client, place.group, place.names, lane, birth)
    seq = cursor.seq if cursor else 0
    async with unit_of_work(place.engine) as work:
        now = await work.lanes.standing(lane, seq)
        waiting = await work.repairs.count_beyond(lane, seq)
    if cursor is None:
        finding = Finding.NO_CURSOR
    elif now.nonce is None or now.nonce != cursor.nonce:
        finding = Finding.OTHER_RECORD
    else:
        finding = Finding.SOUND if waiting == now.last_seq - seq else Finding.NUMBER_MISSING
    return LaneStanding(
        lane=lane, epoch=now.epoch, last_seq=now.last_seq, cursor=cursor, waiting=waiting, finding=finding
    )
