"""Tracebacks in logs: where and what kind, without locals, and without a stranger's words."""

import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence

from structlog.typing import EventDict, WrappedLogger

MAX_FRAMES = 30
MAX_ERRORS = 10
WITHHELD = "…"

# Others quote what they could not use: a driver the key it found twice, a validator its input.
_TRUSTED_PACKAGES = {"worker", "persistence", "domain", "migrations", "aiokafka", "asyncio"}


def structure_tracebacks(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replace `exc_info` by `exception`: each error of the chain with its frames, the last one first.

    An error's own words stay only if its type is of a package that never quotes data; they are taken out of the
    event too, where a library has written them.
    """
    error = _error_of(event.pop("exc_info", None))
    if error is None:
        return event
    chain = list(_chain(error))[:MAX_ERRORS]
    event["exception"] = [_described(link) for link in chain]
    for link in chain:
        words = str(link)
        if words and not _is_trusted(link):
            event["event"] = str(event.get("event", "")).replace(words, WITHHELD)
    return event


def render_tracebacks(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Turn a structured traceback into lines for a terminal."""
    errors = event.get("exception")
    if isinstance(errors, Sequence) and not isinstance(errors, str):
        event["exception"] = "\n".join(line for error in errors for line in _lines(error))
    return event


def _error_of(exc_info: object) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    return sys.exc_info()[1] if exc_info else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield *error*, the members of a group, and what led to them."""
    waiting, seen = [error], set[int]()
    while waiting:
        link = waiting.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        if isinstance(link, BaseExceptionGroup):
            waiting.extend(link.exceptions)
        before = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
        if before is not None:
            waiting.append(before)


def _described(error: BaseException) -> dict[str, object]:
    kind = type(error)
    described: dict[str, object] = {"type": f"{kind.__module__}.{kind.__qualname__}"}
    if _is_trusted(error):
        described["words"] = str(error)
    sqlstate = getattr(error, "sqlstate", None)
    if isinstance(sqlstate, str):
        described["sqlstate"] = sqlstate
    walked = traceback.walk_tb(error.__traceback__)
    frames = traceback.StackSummary.extract(walked, lookup_lines=False)[-MAX_FRAMES:]
    described["frames"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return described


def _is_trusted(error: BaseException) -> bool:
    package = type(error).__module__.split(".")[0]
    return package in _TRUSTED_PACKAGES or isinstance(error, OSError)


def _lines(error: object) -> Iterator[str]:
    if isinstance(error, Mapping):
        yield f"{error['type']}: {error.get('words', WITHHELD)}"
        yield from (f"  {frame}" for frame in error["frames"])
