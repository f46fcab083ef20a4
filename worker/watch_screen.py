"""Where the page of `vigil watch` goes: a live screen, or lines one after another."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Self

from rich.console import Console, Group
from rich.live import Live

from worker.watch_heading import Expected, census_of, silent_lanes
from worker.watch_view import Space, page
from worker.watch_ward import WardView


class Screen:
    """Where the page goes: kept up to date on a terminal, printed anew when it changed elsewhere."""

    def __init__(self, view: WardView, console: Console, notes: Sequence[str], *, is_once: bool) -> None:
        self._view = view
        self._console = console
        self._notes = notes
        is_live = console.is_terminal and not is_once
        self._live = Live(console=console, screen=True, auto_refresh=False) if is_live else None
        self._shown: object = None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, expected: Expected) -> None:
        """Bring the page up to date; where it is printed, only if there is something new in it."""
        now = datetime.now(UTC)
        if self._live is not None:
            self._live.update(self._page(expected, now, self._console.height), refresh=True)
            return
        view = self._view
        news = (view.changes, silent_lanes(view, expected, now), census_of(view, expected, now))
        if news != self._shown:
            self._shown = news
            self._console.print(self._page(expected, now, None))
            self._console.print()

    def _page(self, expected: Expected, now: datetime, height: int | None) -> Group:
        space = Space(self._console.width, height)
        return page(self._view, expected=expected, now=now, zone=None, space=space, notes=self._notes)
