"""The shape of a log line: flat, whoever wrote it."""

from collections.abc import Mapping

from structlog.typing import EventDict, WrappedLogger


def flatten_extra(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Lift what a library nested under `extra` (FastStream does) to the top; our own fields win."""
    extra = event.pop("extra", None)
    if isinstance(extra, Mapping):
        for name, value in extra.items():
            event.setdefault(str(name), value)
    return event
