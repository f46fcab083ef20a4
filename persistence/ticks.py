"""Ticks: what a chart took in that no input would tell, a clock that ran out above all."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from persistence.connection import Connection, copy


class TickRow(NamedTuple):
    """A tick as it is stored."""

    chart_id: int
    chart_seq: int
    at: datetime
    kind: str = "due"  # or not_evaluated: something our own code failed on, received at that moment
    device_id: str | None = None  # whose set was not evaluated


class TickRepository:
    """The ticks that charts took in."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, rows: Sequence[TickRow]) -> None:
        """Store *rows*."""
        if rows:
            await copy(self._connection, "ticks", TickRow._fields, rows)
