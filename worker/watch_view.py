"""The ward as `vigil watch` shows it: a page made of what is known, the time and the reader's zone."""

from collections import Counter
from datetime import datetime, timedelta, tzinfo

from rich.console import Group
from rich.table import Table
from rich.text import Text

from domain.alarms import AlarmState, Priority
from domain.observations import Mode
from domain.vital_signs import Consciousness, VitalSign
from domain.wording import quantity
from worker.messages.announced_shapes import AlarmStateV1, AlertV1, HeartbeatV1
from worker.watch_ward import Ended, WardView

Told = AlarmStateV1 | AlertV1

_STYLES = {"high": "bold white on red", "medium": "bold black on yellow", "low": "bold black on cyan"}
_RANK = {priority.word: -priority for priority in Priority}
_SIDES = {"low": "below", "high": "above"}
_BEYOND = {"low": "less", "high": "more"}
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def page(view: WardView, *, lanes: int, now: datetime, zone: tzinfo | None, patience: timedelta) -> Group:
    """Return the whole page; a lane silent for longer than *patience* is told loudly.

    *zone* is the reader's, None for that of this machine.
    """
    parts = [_summary(view, now, zone), _watched(view, lanes, now, patience), _standing(view, now, zone)]
    if view.ended:
        parts.append(_ended(view, zone))
    return Group(*parts)


def _summary(view: WardView, now: datetime, zone: tzinfo | None) -> Text:
    counts: Counter[str] = Counter(told.priority for told in view.standing.values())
    line = Text.assemble(("Vigil", "bold"), f"  {now.astimezone(zone):%H:%M:%S}   ")
    for priority in sorted(Priority, reverse=True):
        count = counts[priority.word]
        line.append(f" {count} {priority.name} ", _STYLES[priority.word] if count else "dim")
        line.append(" ")
    modes = {told.mode for told in view.standing.values()} - {Mode.REAL}
    for mode in sorted(modes):
        line.append(f"  {mode.upper()} DATA SHOWN", "bold magenta")
    if view.unreadable:
        line.append(f"  {view.unreadable} records could not be read", "bold red")
    return line


def _watched(view: WardView, lanes: int, now: datetime, patience: timedelta) -> Text:
    """Say whether anybody watches: silence of this page means nothing while a lane is silent."""
    silent = silent_lanes(view, lanes, now, patience)
    if silent:
        told = ", ".join(f"lane {lane} {_silence(view.heartbeats.get(lane), now)}" for lane in silent)
        return Text(f"NOT WATCHED: {told}", "bold white on red")
    oldest = max((now - beat.at).total_seconds() for beat in view.heartbeats.values())
    return Text(f"watched: {lanes} lanes, every heartbeat within {max(0, oldest):.0f} s", "green")


def silent_lanes(view: WardView, lanes: int, now: datetime, patience: timedelta) -> list[int]:
    """Return the lanes without a heartbeat within *patience*."""
    beats = view.heartbeats
    return [lane for lane in range(lanes) if lane not in beats or now - beats[lane].at > patience]


def _silence(last: HeartbeatV1 | None, now: datetime) -> str:
    return "no heartbeat" if last is None else f"no heartbeat for {(now - last.at).total_seconds():.0f} s"


def _standing(view: WardView, now: datetime, zone: tzinfo | None) -> Table | Text:
    if not view.standing:
        return Text("no alarm stands", "green")
    table = _table("Priority", "Bed", "Patient", "Alarm", "Value", "Limit", "Since", "State", "Data")
    for told in sorted(view.standing.values(), key=_urgency):
        table.add_row(
            Text(f" {told.priority.upper()} ", _STYLES[told.priority]),
            *(
                Text(plain(cell))
                for cell in (_bed(told), _patient(told), _matter(told), _value(told), _limit(told))
            ),
            _since(told.onset_at, now, zone),
            "" if told.state is AlarmState.ACTIVE else told.state,
            _data(told),
        )
    return table


def _ended(view: WardView, zone: tzinfo | None) -> Table:
    table = _table("Ended", "Bed", "Patient", "Alarm", "Priority", "How", "Data", title="Over")
    for over in view.ended:
        told = over.last
        cells = (_bed(told), _patient(told), _matter(told), told.priority, _how(over))
        table.add_row(_clock(over.at, zone), *(Text(plain(cell)) for cell in cells), _data(told), style="dim")
    return table


def _table(*columns: str, title: str | None = None) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold underline")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column not in {"Alarm", "How"})
    return table


def _urgency(told: Told) -> tuple[int, bool, datetime, str]:
    return _RANK[told.priority], told.state is not AlarmState.ACTIVE, told.onset_at, str(told.alarm_id)


def plain(text: str) -> str:
    """Return *text* without control characters: what a producer sent must not steer a terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _bed(told: Told) -> str:
    return " ".join(part for part in (told.location.ward, told.location.bed) if part) or "-"


def _patient(told: Told) -> str:
    return "-" if told.patient_id is None else f"…{told.patient_id[-4:]}"


def _matter(told: Told) -> str:
    """Say what it is about: a vital sign and its side, or the title's own words without the place."""
    if told.vital is not None and told.vital.name is VitalSign.CONSCIOUSNESS:
        return ", ".join([told.vital.display, *_cautions(told)])
    if told.vital is not None and told.limit is not None:
        word = f"{told.vital.display} {'fell' if _is_fall(told) else told.limit.side}"
        return ", ".join([word, *_cautions(told)])
    return told.title.partition(": ")[2] or told.title


def _cautions(told: Told) -> list[str]:
    return [flag.replace("_", " ") for flag in told.flags]


def _value(told: Told) -> str:
    return "" if told.vital is None or told.value is None else _spoken(told.vital.name, told.value)


def _limit(told: Told) -> str:
    if told.vital is None or told.limit is None:
        return ""
    threshold = _spoken(told.vital.name, told.limit.threshold)
    if _is_fall(told):
        return f"a fall of {threshold}"
    if told.limit.inclusive:
        return f"{threshold} or {_BEYOND[told.limit.side]}"
    return f"{_SIDES[told.limit.side]} {threshold}"


def _is_fall(told: Told) -> bool:
    """Whether the limit is one on a change, whose threshold is a difference."""
    return told.limit is not None and told.limit.measure == "fall"


def _spoken(sign: VitalSign, value: float | str) -> str:
    number = float(Consciousness[value]) if isinstance(value, str) else value
    return quantity(sign, number)


def _since(at: datetime, now: datetime, zone: tzinfo | None) -> str:
    return f"{_clock(at, zone)} ({_age((now - at).total_seconds())})"


def _clock(at: datetime, zone: tzinfo | None) -> str:
    return f"{at.astimezone(zone):%H:%M:%S}"


def _age(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{max(0, seconds):.0f} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min"
    return f"{seconds // _HOUR:.0f} h" if seconds < _DAY else f"{seconds // _DAY:.0f} d"


def _how(over: Ended) -> str:
    return "over" if over.reason is None else over.reason.replace("_", " ")


def _data(told: Told) -> Text:
    return Text("") if told.mode is Mode.REAL else Text(told.mode.upper(), "bold magenta")
