"""What stands above and below the ward's alarms: how many, whose data, and whether alerts would come at all."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from rich.text import Text

from domain.alarms import Priority
from domain.observations import Mode
from worker.watch_ward import WardView
from worker.watch_words import Told, age

STYLES = {"high": "bold white on red", "medium": "bold black on yellow", "low": "bold black on cyan"}
MARK = "bold magenta"
_LOUD = "bold white on red"


@dataclass(frozen=True, slots=True)
class Expected:
    """The signs of life that are waited for: of so many lanes, each within *patience*."""

    lanes: int
    patience: timedelta


def heading(
    view: WardView, modes: set[Mode], expected: Expected, now: datetime, zone: tzinfo | None
) -> list[Text]:
    """Return the lines above the alarms, of which data of *modes* is shown."""
    return [_summary(view, modes, now, zone), *_unreadable(view), _arriving(view, expected, now)]


def _summary(view: WardView, modes: set[Mode], now: datetime, zone: tzinfo | None) -> Text:
    counts = counts_of(view.standing.values())
    line = Text.assemble(("Vigil", "bold"), f"  {now.astimezone(zone):%H:%M:%S}   ")
    for priority in sorted(Priority, reverse=True):
        count = counts[priority.word]
        line.append(f" {count} {priority.name} ", STYLES[priority.word] if count else "dim")
        line.append(" ")
    made_up = " AND ".join(mode.upper() for mode in sorted(modes - {Mode.REAL}))
    if made_up:
        line.append(f"  {made_up} DATA SHOWN" if Mode.REAL in modes else f"  ALL {made_up} DATA", MARK)
    return line


def _unreadable(view: WardView) -> list[Text]:
    return [Text(f"{view.unreadable} records could not be read", "bold red")] if view.unreadable else []


def _arriving(view: WardView, expected: Expected, now: datetime) -> Text:
    """Say whether alerts would come: silence of this page means nothing while a lane is silent."""
    silent = silent_lanes(view, expected, now)
    if not silent:
        oldest = min(beat.at for beat in view.heartbeats.values())
        return Text(f"alerts are arriving (checked {age(oldest, now)} ago)", "green")
    heard = [view.heartbeats[lane].at for lane in silent if lane in view.heartbeats]
    since = f"for {age(max(heard), now)}" if heard else "yet"
    some = (
        f" for some patients (lanes {', '.join(str(lane) for lane in silent)})"
        if len(silent) < expected.lanes
        else ""
    )
    return Text(f"NO ALERTS ARE ARRIVING{some}: no sign of life {since}", _LOUD)


def silent_lanes(view: WardView, expected: Expected, now: datetime) -> list[int]:
    """Return the lanes without a heartbeat within the time expected."""
    beats = view.heartbeats
    return [
        lane
        for lane in range(expected.lanes)
        if lane not in beats or now - beats[lane].at > expected.patience
    ]


def not_shown(hidden: Iterable[Told]) -> Text:
    """Say how many alarms of each priority found no room."""
    counts = counts_of(hidden)
    told = ", ".join(
        f"{counts[priority.word]} {priority.name}"
        for priority in sorted(Priority, reverse=True)
        if counts[priority.word]
    )
    return Text(f"NO ROOM FOR {told}: make this window taller", _LOUD if counts["high"] else "bold yellow")


def counts_of(alarms: Iterable[Told]) -> Counter[str]:
    """Count *alarms* by the word of their priority."""
    return Counter(told.priority for told in alarms)
