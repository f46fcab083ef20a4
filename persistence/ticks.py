"""Ticks: the moments at which a clock ran out for a chart, which no input would tell."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from persistence.connection import Connection, copy


class TickRow(NamedTuple):
    """A tick as it is stored."""

    chart_id: int
    chart_seq: int
    at: datetime


class TickRepository:
    """The ticks that charts took in."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, rows: Sequence[TickRow]) -> None:
        """Store *rows*."""
        if rows:
            await copy(self._connection, "ticks", TickRow._fields, rows)
