"""What stands above and below the ward's alarms: how many, whose data, and whether alerts would come at all."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from rich.text import Text

from domain.alarms import Priority
from domain.observations import Mode
from domain.watch import WatchState
from worker.watch_ward import WardView
from worker.watch_words import Told, age, moment

STYLES = {"high": "bold white on red", "medium": "bold black on yellow", "low": "bold black on cyan"}
MARK = "bold magenta"
_LOUD = "bold white on red"
PATIENCE = 3  # heartbeats that may be missing before a lane counts as silent


@dataclass(frozen=True, slots=True)
class Expected:
    """The signs of life that are waited for: of so many lanes, each within *patience*."""

    lanes: int
    patience: timedelta


def heading(
    view: WardView, modes: set[Mode], expected: Expected, now: datetime, zone: tzinfo | None
) -> list[Text]:
    """Return the lines above the alarms, of which data of *modes* is shown."""
    return [
        *census_line(view, expected, now, zone),
        _summary(view, modes, now, zone),
        *_unreadable(view),
        _arriving(view, expected, now),
    ]


def census_of(view: WardView, expected: Expected, now: datetime) -> Counter[WatchState] | None:
    """Count the patients by how they are watched; those of silent lanes are not. None: no lane has told of any."""
    if not view.patients:
        return None
    counts = Counter(dict.fromkeys(WatchState, 0))
    silent = silent_lanes(view, expected, now)
    for lane, wards in view.patients.items():
        for each in wards:
            if view.wants(each.mode, each.ward):
                told = {WatchState.WATCHED: each.watched, WatchState.PARTLY: each.partly}
                told[WatchState.NOT_WATCHED] = each.not_watched
                counts.update({WatchState.NOT_WATCHED: sum(told.values())} if lane in silent else told)
    return counts


def census_line(view: WardView, expected: Expected, now: datetime, zone: tzinfo | None) -> list[Text]:
    """Say how many are watched, and since when nobody evaluates; nothing before a lane has told of its patients."""
    counts = census_of(view, expected, now)
    if counts is None:
        return []
    line = spoken_counts(counts)
    heard = [
        view.heartbeats[lane].at for lane in silent_lanes(view, expected, now) if lane in view.heartbeats
    ]
    if heard:
        line.append(f": nobody evaluates since {moment(max(heard), now, zone)}", _LOUD)
    return [line]


def spoken_counts(counts: Mapping[WatchState, int]) -> Text:
    """Say `23 watched, 1 partly, 1 not watched`, as loudly as it must be."""
    said = ", ".join(f"{counts[state]} {state.replace('_', ' ')}" for state in WatchState)
    if counts[WatchState.NOT_WATCHED]:
        return Text(said, _LOUD)
    return Text(said, "bold yellow" if counts[WatchState.PARTLY] else "green")


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
