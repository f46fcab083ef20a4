"""Logs: one shape for our events and for those of the libraries."""

import logging
import sys
from typing import TextIO

import faststream  # its logger takes a handler of its own when it is imported: so first that, then ours
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from worker.observability.log_privacy import drop_forbidden
from worker.observability.log_repeats import Repeats
from worker.observability.log_shape import flatten_extra
from worker.observability.log_tracebacks import render_tracebacks, structure_tracebacks

FORMATS = ("auto", "json", "console")

# Libraries that speak often of what an operator cannot act on.
_QUIET = {
    "aiokafka": logging.WARNING,
    "alembic": logging.WARNING,
    "sqlalchemy": logging.WARNING,
    "asyncio": logging.WARNING,
    "uvicorn.access": logging.WARNING,
}
_WITH_OWN_HANDLERS = (faststream.__name__, "uvicorn", "uvicorn.error", "uvicorn.access")


def configure_logging(
    log_format: str, level: str, *, stream: TextIO | None = None, process: int | None = None
) -> None:
    """Send every log line of the process through one chain to *stream* (standard error if None).

    *log_format* is `json`, `console`, or `auto`: console on a terminal, JSON when piped. One *process* of several
    says in each line which it is.
    """
    target = sys.stderr if stream is None else stream
    handler = logging.StreamHandler(target)
    named = [] if process is None else [_naming(process)]
    handler.setFormatter(
        _formatter(named, is_json=_wants_json(log_format, target), has_colors=target.isatty())
    )
    handler.addFilter(Repeats())
    _take_over_the_standard_library(handler, level.upper())
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # whoever configures again is obeyed
    )


def _wants_json(log_format: str, stream: TextIO) -> bool:
    if log_format not in FORMATS:
        raise ValueError(f"log format must be one of {', '.join(FORMATS)}, not {log_format}")
    return log_format == "json" or (log_format == "auto" and not stream.isatty())


def _take_over_the_standard_library(handler: logging.Handler, level: str) -> None:
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _WITH_OWN_HANDLERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    for name, floor in _QUIET.items():
        logging.getLogger(name).setLevel(max(floor, root.level))


def _shared() -> list[Processor]:
    """Return what happens to every line where it is written."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _naming(process: int) -> Processor:
    def name(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["process"] = process
        return event

    return name


def _formatter(named: list[Processor], *, is_json: bool, has_colors: bool) -> logging.Formatter:
    """Return what happens to every line last: nothing gets past it on its way out."""
    renderers: list[Processor] = (
        [structlog.processors.JSONRenderer(sort_keys=False)]
        if is_json
        else [render_tracebacks, structlog.dev.ConsoleRenderer(colors=has_colors)]
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_shared(), structlog.stdlib.ExtraAdder()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *named,
            flatten_extra,
            structure_tracebacks,
            drop_forbidden,
            *renderers,
        ],
    )
