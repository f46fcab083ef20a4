"""An exported copy of the alerts topic, as kcat writes it: what its lines say."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from worker.audit.output_comparison import Content, Said, said_of
from worker.errors import OperatorError

EXPORT = "kcat -C -e -J -X isolation.level=read_committed -t vitals.alerts.v1 > FILE"


def written_at(file: Path) -> datetime:
    """When *file* was last written. Raises OperatorError if it is not there."""
    try:
        return datetime.fromtimestamp(file.stat().st_mtime, UTC)
    except OSError as error:
        raise OperatorError(f"--alerts: {file} cannot be read: {error.strerror}") from None


def read_copy(file: Path) -> Iterator[tuple[int, Said]]:
    """Yield the lane and what is said, line by line. Raises OperatorError on a line that is no record."""
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                try:
                    yield _said(orjson.loads(line))
                except (ValueError, TypeError, KeyError, AttributeError):
                    raise OperatorError(
                        f"--alerts: line {number} of {file} is not a record of the alerts topic; it should be a line "
                        f"of `{EXPORT}`"
                    ) from None


def _said(told: dict[str, Any]) -> tuple[int, Said]:
    flat = told["headers"]
    headers = tuple(
        (name, None if value is None else str(value).encode())
        for name, value in zip(flat[::2], flat[1::2], strict=True)
    )
    value = told["payload"]
    if not isinstance(told["partition"], int) or not isinstance(value, str):
        raise TypeError("a partition is a number, a payload a text")
    key = told.get("key")
    content = Content(None if key is None else key.encode(), value.encode(), headers)
    return told["partition"], said_of("alerts", content)
