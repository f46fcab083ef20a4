"""What the operator sees of a feed while it runs, and what it came to in the end."""

from typing import Self

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from worker.feed.records import FeedRecord


class Progress:
    """A line on the terminal that counts records; on anything else than a terminal it stays silent."""

    def __init__(self, title: str, *, total: int | None = None, console: Console | None = None) -> None:
        console = console or Console(stderr=True)
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,.0f} records"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._bar.add_task(title, total=total)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def advance(self, _: FeedRecord) -> None:
        """Count one more record."""
        self._bar.advance(self._task)

    def advance_by(self, records: int) -> None:
        """Count *records* more."""
        self._bar.advance(self._task, records)

    def expect(self, records: int) -> None:
        """Know that there are *records* in all."""
        self._bar.update(self._task, total=records)
