"""Whether a lane's cursor still stands where its publisher put it: a tool may have reset it under a running worker."""

import asyncio
from contextlib import suppress
from enum import Enum, auto
from uuid import UUID

from aiokafka.errors import KafkaError
from sqlalchemy.ext.asyncio import AsyncEngine

from persistence.unit_of_work import unit_of_work
from worker.cursors import Cursor, CursorReader
from worker.errors import LaneChangedError, LaneStoppedError

_ANSWER_SECONDS = 1.0  # a coordinator that takes longer cannot take the next transaction either
_CONFIRM_SECONDS = 0.3  # a coordinator that has just moved may answer from before: a reset is seen twice


class CursorFinding(Enum):
    """What the cursor that was read tells the publisher of a lane."""

    OURS = auto()
    AHEAD = auto()  # of the same history: another worker or a repair has gone on with the lane
    BEHIND = auto()  # of the same history: our next transaction puts it right
    RESET = auto()  # nobody who publishes has written it


def judge_cursor(
    found: Cursor | None, ours: Cursor, before: Cursor, stored_nonce: UUID | None
) -> CursorFinding:
    """What *found* means to the publisher whose last transaction moved the cursor from *before* to *ours*.

    *stored_nonce* is that of the row under the number found. The coordinator answers a commit before it
    shows it, so *before* is as good as *ours*; while nothing is out, any beginning will do.
    """
    if found in (ours, before) or (ours.seq == 0 and (found is None or found.seq == 0)):
        return CursorFinding.OURS
    if found is None or found.nonce is None or found.nonce != stored_nonce:
        return CursorFinding.RESET
    return CursorFinding.AHEAD if found.seq > ours.seq else CursorFinding.BEHIND


class CursorWatch:
    """Looks at one lane's cursor on behalf of its publisher, before each of its transactions and now and then."""

    def __init__(self, engine: AsyncEngine, lane: int, reader: CursorReader) -> None:
        self._engine = engine
        self._lane = lane
        self._reader = reader

    async def must_be_written(self, ours: Cursor, before: Cursor) -> bool:
        """Whether the cursor stands behind *ours* and wants writing anew.

        Raises LaneStoppedError if a tool has reset it, LaneChangedError if somebody else has gone on with
        the lane. A coordinator that does not answer tells nothing: the transaction will.
        """
        finding = await self._finding(ours, before)
        if finding is CursorFinding.RESET:
            await asyncio.sleep(_CONFIRM_SECONDS)
            finding = await self._finding(ours, before)
        if finding is CursorFinding.RESET:
            raise LaneStoppedError(
                f"lane {self._lane} has published number {ours.seq}, but its cursor was reset, by a tool it seems; "
                f"run `vigil lanes repair {self._lane}`"
            )
        if finding is CursorFinding.AHEAD:
            raise LaneChangedError(f"lane {self._lane} has been published further by somebody else")
        return finding is CursorFinding.BEHIND

    async def _finding(self, ours: Cursor, before: Cursor) -> CursorFinding:
        with suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(_ANSWER_SECONDS):
                found = await self._reader.read()
            if found in (ours, before):
                return CursorFinding.OURS
            return judge_cursor(found, ours, before, await self._stored_nonce(found))
        return CursorFinding.OURS

    async def _stored_nonce(self, found: Cursor | None) -> UUID | None:
        if found is None:
            return None
        async with unit_of_work(self._engine) as work:
            return (await work.lanes.standing(self._lane, found.seq)).nonce
