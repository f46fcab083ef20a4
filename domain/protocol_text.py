"""A protocol as text: read from TOML, refused with the place and the reason where it is wrong."""

import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import Enum
from hashlib import sha256
from typing import Any, TypeVar

from domain.alarms import Priority
from domain.protocol import (
    OLDEST,
    AlarmLimit,
    Condition,
    Lateness,
    Measure,
    Protocol,
    Sensor,
    Side,
    SignalRules,
    Tier,
)
from domain.protocol_checks import contradiction_in
from domain.protocol_lines import Path, line_of
from domain.times import duration_ms
from domain.vital_signs import DEFINITIONS, VitalSign

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|min|h|d)")
_DURATION_UNITS = {"ms": "milliseconds", "s": "seconds", "min": "minutes", "h": "hours", "d": "days"}
_AGE = re.compile(r"(\d+)(mo|y)")
_LINE = re.compile(r"at line (\d+)")
_LARGEST = 1_000_000
_INPUT_LOST_STANDS = timedelta(hours=1)
_FLOOD_SPACING, _FLOOD_BURST = timedelta(milliseconds=50), 600
_DEVICE_UNUSABLE, _DEVICE_UNUSABLE_OF, _DEVICE_USABLE_AGAIN = 20, 25, 3

_Member = TypeVar("_Member", bound=Enum)


class ProtocolError(ValueError):
    """A protocol that cannot be used; the message says where, what is wrong, and what would be right.

    *line* is where in the text that stands, as far as it can be told.
    """

    def __init__(self, said: str, path: Path = (), line: int | None = None) -> None:
        super().__init__(said)
        self.path = path
        self.line = line


def parse_protocol(text: str) -> Protocol:
    """The protocol in *text*. Raises ProtocolError with one line that an author can act on."""
    try:
        return _protocol(text)
    except ProtocolError as error:
        line = line_of(text, error.path) if error.path else error.line
        raise ProtocolError(str(error), error.path, line) from error.__cause__


def _protocol(text: str) -> Protocol:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        told = _LINE.search(str(error))
        raise ProtocolError(f"not valid TOML: {error}", line=int(told[1]) if told else None) from error
    table = _Table(document, "protocol file")
    identity = table.table("protocol")
    limits = tuple(_limit(each) for each in table.tables("limits", "id", "limits"))
    try:
        protocol = Protocol(
            protocol_id=identity.text("id"),
            version=identity.text("version"),
            title=identity.text("title"),
            source=identity.text("source"),
            digest=sha256(text.encode()).hexdigest(),
            limits=limits,
            signals=_signals(table),
            lateness=_lateness(table.table("lateness")),
        )
    except ProtocolError:
        raise
    except ValueError as error:
        raise ProtocolError(str(error), ("limits",)) from error
    identity.refuse_unknown()
    table.refuse_unknown()
    if wrong := contradiction_in(limits):
        raise ProtocolError(wrong.said, ("limits", wrong.number))
    return protocol


class _Table:
    """A TOML table that knows where it stands and which of its keys have been read."""

    def __init__(self, content: Mapping[str, Any], place: str, path: Path = ()) -> None:
        self.content = content
        self.place = place
        self.path = path
        self.read: set[str] = set()

    def take(self, key: str, kind: type | tuple[type, ...], wanted: str, default: Any = ...) -> Any:
        self.read.add(key)
        if key not in self.content:
            if default is ...:
                raise self.error(key, f"is missing; wanted is {wanted}")
            return default
        value = self.content[key]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.error(key, f"is {value!r}; wanted is {wanted}")
        return value

    def error(self, key: str, said: str) -> ProtocolError:
        return ProtocolError(f"{self.place}: {key} {said}", (*self.path, *key.split(".")))

    def text(self, key: str, default: Any = ...) -> str:
        return str(self.take(key, str, "a text", default))

    def number(self, key: str, default: Any = ...) -> float:
        said = self.take(key, (int, float), "a number", default)
        if not abs(said) <= _LARGEST:  # nan is not either
            raise self.error(key, f"is {said!r}; wanted is a number")
        return float(said)

    def whole(self, key: str, default: Any = ...) -> int:
        said = int(self.take(key, int, "a whole number above 0", default))
        if said < 1:
            raise self.error(key, f"is {said!r}; wanted is a whole number above 0")
        return said

    def flag(self, key: str) -> bool:
        return bool(self.take(key, bool, "true or false", default=False))

    def duration(self, key: str, default: Any = ...) -> timedelta:
        said = self.take(key, str, 'a duration such as "15s", "10min" or "6h"', default)
        return said if isinstance(said, timedelta) else self._duration(key, said)

    def _duration(self, key: str, said: Any) -> timedelta:
        match = _DURATION.fullmatch(said) if isinstance(said, str) else None
        if match is None:
            raise self.error(key, f'is {said!r}; wanted is a duration such as "15s", "10min" or "6h"')
        try:
            return timedelta(**{_DURATION_UNITS[match[2]]: float(match[1])})
        except OverflowError as error:
            raise self.error(key, f"is {said!r}; wanted is a shorter duration") from error

    def ms(self, key: str, default: Any = ...) -> int:
        return duration_ms(self.duration(key, default))

    def durations(self, key: str) -> dict[str, timedelta]:
        said = self.take(key, dict, "a table of durations")
        return {name: self._duration(f"{key}.{name}", each) for name, each in said.items()}

    def months(self, key: str, default: int) -> int:
        said = self.take(key, str, 'an age such as "2mo" or "16y"', default=f"{default}mo")
        match = _AGE.fullmatch(said)
        if match is None:
            raise self.error(key, f'is {said!r}; wanted is an age such as "2mo" or "16y"')
        return int(match[1]) * (12 if match[2] == "y" else 1)

    def unit_of(self, sign: VitalSign) -> None:
        """See that the unit is said, and is the one that *sign* is judged in: it is never guessed."""
        canonical = DEFINITIONS[sign].unit
        said = self.take("unit", str, f"{canonical!r}, in which {sign} is judged")
        if said != canonical:
            raise self.error("unit", f"is {said!r}; wanted is {canonical!r}, in which {sign} is judged")

    def member(self, key: str, members: type[_Member], default: Any = ...) -> _Member:
        said = self.text(key, default)
        return self.known(key, said, members)

    def members(self, key: str, members: type[_Member], default: Any = ...) -> frozenset[_Member]:
        said = self.take(key, list, "a list of words", default)
        return frozenset(self.known(key, each, members) for each in said)

    def known(self, key: str, said: Any, members: type[_Member]) -> _Member:
        names = {_word(member): member for member in members}
        if not isinstance(said, str) or said not in names:
            raise self.error(key, f"is {said!r}; wanted is one of {', '.join(names)}")
        return names[said]

    def table(self, key: str) -> "_Table":
        return _Table(self.take(key, dict, "a table"), key, (*self.path, key))

    def tables(self, key: str, name: str | None, place: str) -> list["_Table"]:
        """The tables under *key*; each stands at *place* with its *name*, or its number where it has none."""
        entries = self.take(key, list, "a list of tables")
        if not all(isinstance(each, dict) for each in entries):
            raise self.error(key, "holds something else; wanted is a list of tables")
        return [
            _Table(each, f"{place} {each.get(name, number) if name else number}", (*self.path, key, number))
            for number, each in enumerate(entries, 1)
        ]

    def refuse_unknown(self) -> None:
        unknown = sorted(set(self.content) - self.read)
        if unknown:
            raise self.error(unknown[0], f"is not known; known are {', '.join(sorted(self.read))}")


def _word(member: Enum) -> str:
    return member.word if isinstance(member, Priority) else str(member.value)


def _closed(read: Callable[[_Table], Any]) -> Callable[[_Table], Any]:
    def reader(table: _Table) -> Any:
        try:
            result = read(table)
        except ProtocolError:
            raise
        except ValueError as error:
            raise ProtocolError(str(error), table.path) from error
        table.refuse_unknown()
        return result

    return reader


@_closed
def _tier(table: _Table) -> Tier:
    return Tier(
        threshold=table.number("threshold"),
        priority=table.member("priority", Priority),
        on_delay=table.duration("on_delay", timedelta(0)),
        is_inclusive=table.flag("inclusive"),
    )


@_closed
def _limit(table: _Table) -> AlarmLimit:
    level_one = table.number("level_one") if "level_one" in table.content else None
    limit_id = table.text("id")
    sign = table.member("vital_sign", VitalSign)
    table.unit_of(sign)
    return AlarmLimit(
        limit_id=limit_id,
        vital_sign=sign,
        side=table.member("side", Side),
        tiers=tuple(_tier(each) for each in table.tables("tiers", None, f"limits {limit_id}, tier")),
        source=table.text("source"),
        deadband=table.number("deadband", 0.0),
        clear_time=table.duration("clear_time", timedelta(0)),
        is_latching=table.flag("latching"),
        measure=table.member("measure", Measure, "value"),
        window=table.duration("window", timedelta(0)),
        conditions=table.members("when", Condition, []),
        age_from=table.months("age_from", 0),
        age_below=table.months("age_below", OLDEST),
        level_one=level_one,
    )


@_closed
def _sensor(table: _Table) -> Sensor:
    return Sensor(
        name=table.text("name"),
        display=table.text("display"),
        vital_signs=table.members("vital_signs", VitalSign),
        site=table.text("site") if "site" in table.content else None,
    )


def _signals(document: _Table) -> SignalRules:
    table = document.table("signals")
    rules = SignalRules(
        sensors=tuple(_sensor(each) for each in document.tables("sensors", "name", "sensors")),
        sensor_off_after_ms=table.ms("sensor_off_after"),
        sensor_off_priority=table.member("sensor_off_priority", Priority),
        sensor_back_for_ms=table.ms("sensor_back_for"),
        no_breathing_after_ms=table.ms("no_breathing_after"),
        all_absent_sensors=table.whole("all_absent_sensors"),
        all_absent_back_for_ms=table.ms("all_absent_back_for"),
        channel_live_for_ms=table.ms("channel_live_for"),
        overdue_intervals=table.number("overdue_intervals"),
        overdue_at_least_ms=table.ms("overdue_at_least"),
        overdue_at_most_ms=table.ms("overdue_at_most"),
        overdue_priority=table.member("overdue_priority", Priority),
        ward_silent_devices=table.whole("ward_silent_devices"),
        ward_silent_within_ms=table.ms("ward_silent_within"),
        flood_spacing_ms=table.ms("flood_spacing", _FLOOD_SPACING),
        flood_burst=table.whole("flood_burst", _FLOOD_BURST),
        device_unusable=table.whole("device_unusable", _DEVICE_UNUSABLE),
        device_unusable_of=table.whole("device_unusable_of", _DEVICE_UNUSABLE_OF),
        device_usable_again=table.whole("device_usable_again", _DEVICE_USABLE_AGAIN),
        input_lost_stands_ms=table.ms("input_lost_stands", _INPUT_LOST_STANDS),
        spot_check_interval_ms=table.ms("spot_check_interval"),
        spot_check_burst=table.whole("spot_check_burst"),
        clock_ahead_beyond_ms=table.ms("clock_ahead_beyond"),
        clock_skew_tolerance_ms=table.ms("clock_skew_tolerance"),
        clock_skew_messages=table.whole("clock_skew_messages"),
        clock_skew_for_ms=table.ms("clock_skew_for"),
    )
    table.refuse_unknown()
    return rules


@_closed
def _lateness(table: _Table) -> Lateness:
    streamed = table.durations("streamed")
    return Lateness(
        reordering_ms=table.ms("reordering"),
        streamed_ms={
            table.known("streamed", sign, VitalSign): duration_ms(each) for sign, each in streamed.items()
        },
        streamed_default_ms=table.ms("streamed_default"),
        spot_check_ms=table.ms("spot_check"),
        late_after_ms=table.ms("late_after"),
        finding_interval_ms=table.ms("finding_interval"),
    )
