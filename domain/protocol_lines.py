"""On which line of a protocol's text something stands, so that its author need not look for it."""

import re
from collections.abc import Iterator
from itertools import accumulate, takewhile

Path = tuple[str | int, ...]
"""Keys from the outside in; the number of a table in a list counts from 1."""

_HEADER = re.compile(r"\s*\[\[?\s*([\w.-]+)\s*\]\]?")
_OPENING = re.compile(r"\{")


def line_of(text: str, path: Path) -> int | None:
    """The line of what *path* names, or of the innermost table around it; None where not even that is there.

    It looks for what an author writes: a header for each table, and inline tables in a list over several lines.
    """
    lines = text.splitlines()
    name, *inner = path
    number = inner.pop(0) if inner and isinstance(inner[0], int) else 1
    headers = [at for at, line in enumerate(lines) if _names(line) == name]
    if len(headers) < int(number):
        return _key_line(lines, 0, name)
    begin = headers[int(number) - 1]
    for key in inner:
        found = _inline_line(lines, begin, key) if isinstance(key, int) else _key_line(lines, begin, key)
        begin = begin if found is None else found - 1
    return begin + 1


def _names(line: str) -> str | None:
    header = _HEADER.match(line)
    return header[1] if header else None


def _key_line(lines: list[str], begin: int, key: str | int) -> int | None:
    """The line, counted from 1, of *key* before the next header; also inside an inline table of that line."""
    assigned = re.compile(rf"(^|[\s{{,]){re.escape(str(key))}\s*=")
    return next((at + 1 for at in _block(lines, begin) if assigned.search(lines[at])), None)


def _inline_line(lines: list[str], begin: int, number: int) -> int | None:
    """The line, counted from 1, of the inline table with this *number* from *begin* on."""
    block = list(_block(lines, begin))
    seen = accumulate(len(_OPENING.findall(lines[at])) for at in block)
    return next((at + 1 for at, count in zip(block, seen, strict=True) if count >= number), None)


def _block(lines: list[str], begin: int) -> Iterator[int]:
    """The lines from *begin* to the next header."""
    return takewhile(lambda at: at == begin or _names(lines[at]) is None, range(begin, len(lines)))
