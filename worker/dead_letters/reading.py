"""Dead letters read from the database: the newest, all of one record, or page after page."""

import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import BinaryIO

from sqlalchemy.ext.asyncio import AsyncEngine

from persistence.dead_letter_search import DeadLetterFilter, FoundLetter
from persistence.unit_of_work import unit_of_work
from worker import startup
from worker.dead_letters.lines import line_of
from worker.errors import OperatorError
from worker.settings import Settings
from worker.startup import Patience

STDOUT = "-"


@asynccontextmanager
async def at_database(settings: Settings, wait: float) -> AsyncIterator[AsyncEngine]:
    """Lend the database of this Vigil. Raises OperatorError or UnreachableError."""
    async with startup.connected_database(settings, Patience(wait)) as engine:
        await startup.check_database(engine, settings)
        yield engine


async def newest(settings: Settings, wait: float, wanted: DeadLetterFilter, limit: int) -> list[FoundLetter]:
    """Return at most *limit* of what is *wanted*, the newest first, without their bytes."""
    async with at_database(settings, wait) as engine, unit_of_work(engine) as work:
        return await work.dead_letter_search.newest(wanted, limit)


async def shown(settings: Settings, wait: float, wanted: DeadLetterFilter) -> list[FoundLetter]:
    """Return the one record that is *wanted*, with its bytes. Raises OperatorError if there is none."""
    async with at_database(settings, wait) as engine:
        async for letters in records(engine, wanted, with_bytes=True):
            return letters
    raise OperatorError("there is no such dead letter; `vigil dead-letters list` shows the ids")


async def export(settings: Settings, wait: float, wanted: DeadLetterFilter, out: str) -> int:
    """Write what is *wanted* to the file *out*, or to standard output; returns how many records."""
    count = 0
    async with at_database(settings, wait) as engine:
        with _opened(out) as lines:
            async for letters in records(engine, wanted, with_bytes=True):
                lines.write(line_of(letters))
                count += 1
    return count


async def records(
    engine: AsyncEngine, wanted: DeadLetterFilter, *, with_bytes: bool
) -> AsyncIterator[list[FoundLetter]]:
    """Yield the letters of one record after the other, in the order of the log; each page is a transaction."""
    letters: list[FoundLetter] = []
    while page := await _page(engine, wanted, letters[-1] if letters else None, with_bytes=with_bytes):
        for letter in page:
            if letters and letters[-1].place != letter.place:
                yield letters
                letters = []
            letters.append(letter)
    if letters:
        yield letters


async def _page(
    engine: AsyncEngine, wanted: DeadLetterFilter, last: FoundLetter | None, *, with_bytes: bool
) -> list[FoundLetter]:
    async with unit_of_work(engine) as work:
        return await work.dead_letter_search.after(wanted, last, with_bytes=with_bytes)


@contextmanager
def _opened(out: str) -> Iterator[BinaryIO]:
    """Lend a file that nobody else may read and that is there only when it is whole. Raises OperatorError."""
    if out == STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = Path(f"{out}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            yield file
        part.replace(out)
    except OSError as error:
        raise OperatorError(f"{out}: cannot be written: {error.strerror}") from error
