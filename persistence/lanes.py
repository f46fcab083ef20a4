"""Lanes: one row each, whose lock orders what is said about the lane's patients."""

from persistence.connection import Connection
from persistence.errors import UnknownLaneError

_ENSURE = "INSERT INTO lanes (lane) SELECT * FROM generate_series(0, $1 - 1) ON CONFLICT DO NOTHING"
_COUNT = "SELECT count(*) FROM lanes"
_EPOCH = "SELECT epoch FROM lanes WHERE lane = $1"


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
