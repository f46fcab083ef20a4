"""Where the bytes come from that are sent again: what is stored, or a file in which somebody has repaired them."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeAlias

from persistence.dead_letter_search import FoundLetter, Place
from worker.dead_letters.lines import Content, content_of_line
from worker.errors import OperatorError

Source: TypeAlias = Callable[[FoundLetter], Content]
"""Tells what is to be sent for a dead letter."""


def stored(letter: FoundLetter) -> Content:
    """Return the bytes of *letter* as they came."""
    return Content(letter.place, letter.key, letter.value, letter.headers)


class RepairedFile:
    """The lines of a file that `export` wrote and somebody may have changed; they are not held in memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._begins: dict[Place, int] = {}
        digest, begin = hashlib.sha256(), 0
        for number, line in enumerate(file, start=1):
            if line.strip():
                self._enter(content_of_line(number, line).place, number, begin)
            digest.update(line)
            begin += len(line)
        self.digest = digest.hexdigest()

    @property
    def places(self) -> Sequence[Place]:
        """What it holds, in its order."""
        return list(self._begins)

    def content_of(self, letter: FoundLetter) -> Content:
        """What the file says is to be sent for *letter*."""
        self._file.seek(self._begins[letter.place])
        return content_of_line(0, self._file.readline())

    def _enter(self, place: Place, number: int, begin: int) -> None:
        if place in self._begins:
            raise OperatorError(f"line {number}: {place.path} stands in the file twice")
        self._begins[place] = begin


@contextmanager
def open_repaired(path: Path) -> Iterator[RepairedFile]:
    """Lend the file at *path*, every line of it found right. Raises OperatorError."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise OperatorError(f"{path}: cannot be read: {error.strerror}") from error
    with file:
        try:
            repaired = RepairedFile(file)
        except OperatorError as error:
            raise OperatorError(f"{path}: {error}") from None
        yield repaired
