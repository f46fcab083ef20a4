"""Lanes: one row each, whose lock orders what is said about the lane's patients."""

from dataclasses import dataclass
from uuid import UUID

from persistence.connection import Connection
from persistence.errors import UnknownLaneError

_ENSURE = "INSERT INTO lanes (lane) SELECT * FROM generate_series(0, $1 - 1) ON CONFLICT DO NOTHING"
_COUNT = "SELECT count(*) FROM lanes"
_EPOCH = "SELECT epoch FROM lanes WHERE lane = $1"
# Row 0 is the lane itself: its nonce is what a cursor bears before anything was published.
_STANDING = """
SELECT l.epoch, l.last_seq,
       CASE WHEN $2 = 0 THEN l.nonce
            ELSE (SELECT o.nonce FROM outbox AS o WHERE o.lane = l.lane AND o.seq = $2) END AS nonce,
       EXISTS (SELECT FROM published_ids AS p WHERE p.lane = l.lane) AS has_noted_ids
FROM lanes AS l WHERE l.lane = $1
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a lane stands: repaired how often, its last number, and the nonce of the row that was asked for."""

    epoch: int
    last_seq: int
    nonce: UUID | None  # None: there is no such row
    has_noted_ids: bool  # a repair has found records that are out already


class LaneRepository:
    """The lanes there are."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def ensure(self, count: int) -> None:
        """Make the lanes 0 to *count* - 1 that are not there yet."""
        await self._connection.execute(_ENSURE, count)

    async def count(self) -> int:
        """Return how many lanes there are."""
        counted: int = await self._connection.fetchval(_COUNT)
        return counted

    async def epoch(self, lane: int) -> int:
        """Return how often *lane* was repaired; a publisher that notes another number must take it again."""
        epoch: int | None = await self._connection.fetchval(_EPOCH, lane)
        if epoch is None:
            raise UnknownLaneError(f"there is no lane {lane}")
        return epoch

    async def standing(self, lane: int, seq: int) -> Standing:
        """Return how *lane* stands, seen from a cursor at *seq*; 0 is before the first row."""
        row = await self._connection.fetchrow(_STANDING, lane, seq)
        if row is None:
            raise UnknownLaneError(f"there is no lane {lane}")
        return Standing(row["epoch"], row["last_seq"], row["nonce"], row["has_noted_ids"])
