"""The ward as `vigil watch` shows it: a page made of what is known, the time and the room there is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from rich.cells import cell_len
from rich.console import Group
from rich.table import Table
from rich.text import Text

from domain.alarms import AlarmState, Priority
from domain.observations import Mode
from worker.watch_heading import MARK, STYLES, Expected, counts_of, heading, not_shown
from worker.watch_table import Row, first_that_fit, fitting, table, wrapped
from worker.watch_ward import Ended, WardView
from worker.watch_words import (
    Told,
    age,
    bed_of,
    how,
    limit_of,
    matter_and_state_of,
    matter_of,
    moment,
    patient_of,
    plain,
    value_of,
)

_RANK = {priority.word: -priority for priority in Priority}

# The first that fits is taken. Whatever the width: which bed, what about, and how urgent.
_STANDING = (
    ("Priority", "Bed", "Patient", "Alarm", "Value", "Limit", "Since"),
    ("Priority", "Bed", "Patient", "Alarm", "Value", "Since"),
    ("Priority", "Bed", "Patient", "Alarm", "Value", "For"),
    ("Priority", "Bed", "Alarm", "Value", "For"),
    ("Priority", "Bed", "Alarm"),
)
_OVER = (
    ("Ended", "Bed", "Patient", "Alarm", "Priority", "How"),
    ("Ended", "Bed", "Patient", "Alarm", "How"),
    ("Ended", "Bed", "Alarm", "How"),
    ("Ended", "Bed", "Alarm"),
)


@dataclass(frozen=True, slots=True)
class Space:
    """The room for the page; a *height* of None takes as many lines as there are."""

    width: int
    height: int | None = None


@dataclass(frozen=True, slots=True)
class _Block:
    """Some parts of the page, the lines they take, and whether a HIGH alarm found no room."""

    parts: list[Text | Table]
    lines: int
    hides_high: bool = False


@dataclass(frozen=True, slots=True)
class _Reading:
    """How the page is read: when, where, in which room, and whether each row must say whose data it is."""

    now: datetime
    zone: tzinfo | None
    width: int
    is_mixed: bool

    def columns(self, choices: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
        return [(*choice, "Data") if self.is_mixed else tuple(choice) for choice in choices]


def page(  # noqa: PLR0913  all that a page is made of
    view: WardView,
    *,
    expected: Expected,
    now: datetime,
    zone: tzinfo | None,
    space: Space,
    notes: Sequence[str] = (),
) -> Group:
    """Return the whole page: what stands before what is over, and *notes* last; silent lanes are told loudly.

    *zone* is the reader's, None for that of this machine. Where there is no room for a HIGH alarm, notes give way.
    """
    modes = {told.mode for told in (*view.standing.values(), *(over.last for over in view.ended))}
    reading = _Reading(now, zone, space.width, is_mixed=len(modes) > 1)
    head = heading(view, modes, expected, now, zone)
    taken = sum(len(wrapped(line.plain, space.width)) for line in head)
    foot = [Text(line, "dim") for line in _flowed(notes, space.width)]
    standing = _standing(view, reading, _left(space.height, taken + len(foot)))
    if standing.hides_high and foot:
        foot = []
        standing = _standing(view, reading, _left(space.height, taken))
    over = _over(view, reading, _left(space.height, taken + len(foot) + standing.lines))
    return Group(*head, *standing.parts, *over.parts, *foot)


def _left(height: int | None, taken: int) -> int | None:
    return None if height is None else max(0, height - taken)


def _standing(view: WardView, reading: _Reading, room: int | None) -> _Block:
    if not view.standing:
        return _Block([Text("no alarm stands", "green")], 1)
    alarms = sorted(view.standing.values(), key=_urgency)
    rows = [_row(told, reading) for told in alarms]
    layout = fitting(rows, reading.columns(_STANDING), reading.width)
    count = len(rows) if room is None else first_that_fit(rows, layout, room - 1)
    if count < len(rows) and room is not None:
        count = first_that_fit(rows, layout, room - 2)
    drawn = table(rows[:count], layout)
    lines = 1 + sum(layout.lines_of(row) for row in rows[:count])
    hidden = alarms[count:]
    if not hidden:
        return _Block([drawn], lines)
    return _Block([drawn, not_shown(hidden)], lines + 1, hides_high=bool(counts_of(hidden)["high"]))


def _over(view: WardView, reading: _Reading, room: int | None) -> _Block:
    rows = [_over_row(over, reading) for over in view.ended]
    layout = fitting(rows, reading.columns(_OVER), reading.width)
    count = len(rows) if room is None else first_that_fit(rows, layout, room - 2)
    if not count:
        return _Block([], 0)
    lines = 2 + sum(layout.lines_of(row) for row in rows[:count])
    return _Block([Text("Over", "italic"), table(rows[:count], layout, style="dim")], lines)


def _row(told: Told, reading: _Reading) -> Row:
    words = {
        "Bed": bed_of(told),
        "Patient": patient_of(told),
        "Alarm": matter_and_state_of(told),
        "Value": value_of(told),
        "Limit": limit_of(told),
        "Since": f"{moment(told.onset_at, reading.now, reading.zone)} ({age(told.onset_at, reading.now)})",
        "For": age(told.onset_at, reading.now),
    }
    priority = Text(f" {told.priority.upper()} ", STYLES[told.priority])
    return {"Priority": priority, "Data": _data(told)} | {
        name: Text(plain(word)) for name, word in words.items()
    }


def _over_row(over: Ended, reading: _Reading) -> Row:
    told = over.last
    words = {
        "Ended": moment(over.at, reading.now, reading.zone),
        "Bed": bed_of(told),
        "Patient": patient_of(told),
        "Alarm": matter_of(told),
        "Priority": told.priority,
        "How": how(over),
    }
    return {"Data": _data(told)} | {name: Text(plain(word)) for name, word in words.items()}


def _data(told: Told) -> Text:
    return Text("") if told.mode is Mode.REAL else Text(told.mode.upper(), MARK)


def _urgency(told: Told) -> tuple[int, bool, datetime, str]:
    return _RANK[told.priority], told.state is not AlarmState.ACTIVE, told.onset_at, str(told.alarm_id)


def _flowed(notes: Iterable[str], width: int) -> list[str]:
    """Put as many of *notes* on a line as fit."""
    lines: list[str] = []
    for note in notes:
        if lines and cell_len(lines[-1]) + 3 + cell_len(note) <= width:
            lines[-1] += f"   {note}"
        else:
            lines += wrapped(note, width)
    return lines
