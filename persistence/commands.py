"""Commands: each is taken in once, whatever a producer repeats."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from persistence.connection import Connection, copy
from persistence.errors import DuplicateCommandError

_EXISTING = "SELECT command_id FROM commands WHERE command_id = ANY($1::uuid[])"


class CommandRow(NamedTuple):
    """A command as it is stored; *body* is its JSON text."""

    command_id: UUID
    chart_id: int
    chart_seq: int
    kind: str
    issued_at: datetime
    issued_by: str | None
    received_at: datetime
    correlation_id: UUID
    body: str


class CommandRepository:
    """The commands that charts took in."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def existing(self, command_ids: Collection[UUID]) -> set[UUID]:
        """Return those of *command_ids* that were taken in before."""
        if not command_ids:
            return set()
        rows = await self._connection.fetch(_EXISTING, list(command_ids))
        return {row["command_id"] for row in rows}

    async def add(self, rows: Sequence[CommandRow]) -> None:
        """Store *rows*. Raises DuplicateCommandError; the transaction is then over."""
        if not rows:
            return
        try:
            await copy(self._connection, "commands", CommandRow._fields, rows)
        except asyncpg.UniqueViolationError as error:
            error.detail = None
            raise DuplicateCommandError("a command of this batch is stored already") from error
