"""Read recordings of both forms into observed sets; pure: text in, values out."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import isfinite

from worker.feed.records import Value
from worker.replay.errors import RecordingError
from worker.replay.mapping import Channel, Form, RecordingMapping

_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class ObservedSet:
    """What a recording shows at one instant, *after_ms* into it; *line* is its first line."""

    line: int
    after_ms: int
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Recording:
    """One file, read: its sets in time order, and how often it names what the mapping has no channel for."""

    name: str
    mapping: RecordingMapping
    sets: tuple[ObservedSet, ...]
    not_mapped: Counter[str]


@dataclass(frozen=True, slots=True)
class _Cell:
    """One value with where it stands and when it was observed."""

    line: int
    after_ms: int
    parameter: str
    text: str


def recognised(name: str, text: str, mappings: Sequence[RecordingMapping]) -> RecordingMapping:
    """Which of *mappings* a recording is of, by its first row. Raises RecordingError."""
    names = next(csv.reader(text.splitlines()[:1]), [])
    for mapping in mappings:
        if mapping.fits(names):
            return mapping
    expected = " or ".join(_first_row(mapping) for mapping in mappings)
    raise RecordingError(name, 1, f"the first row must be {expected}")


def read(name: str, text: str, mapping: RecordingMapping) -> Recording:
    """The recording in *text*. Raises RecordingError with the first line that is wrong."""
    cells = (_wide if mapping.form is Form.WIDE else _long)(name, text, mapping)
    not_mapped: Counter[str] = Counter()
    sets: list[ObservedSet] = []
    for after_ms, together in groupby(_in_time_order(name, cells), key=lambda cell: cell.after_ms):
        values: list[tuple[int, Value]] = []
        for cell in together:
            if channel := mapping.channels.get(cell.parameter):
                values += [(cell.line, value) for value in _values(name, cell, channel)]
            elif cell.parameter not in mapping.descriptors:
                not_mapped[cell.parameter] += 1
        sets += _sets(after_ms, values)
    return Recording(name, mapping, tuple(sets), not_mapped)


def _sets(after_ms: int, values: list[tuple[int, Value]]) -> Iterator[ObservedSet]:
    """One set of all *values*; a sign that stands there twice begins another."""
    rest = values
    while rest:
        taken, rest = _without_repetition(rest)
        yield ObservedSet(taken[0][0], after_ms, tuple(value for _, value in taken))


def _without_repetition(
    values: list[tuple[int, Value]],
) -> tuple[list[tuple[int, Value]], list[tuple[int, Value]]]:
    taken: dict[tuple[str, str | None], tuple[int, Value]] = {}
    repeated = []
    for line, value in values:
        channel = (value.vital_sign, value.site)
        if channel in taken:
            repeated.append((line, value))
        else:
            taken[channel] = (line, value)
    return list(taken.values()), repeated


def _values(name: str, cell: _Cell, channel: Channel) -> Iterator[Value]:
    number = _number(name, cell.line, cell.parameter, cell.text)
    if number in channel.not_recorded:
        return
    yield Value(vital_sign=channel.vital_sign, value=number, unit=channel.unit, site=channel.site)
    if channel.also and (derived := channel.also.of(number)):
        yield Value(vital_sign=channel.also.vital_sign, value=derived)


def _wide(name: str, text: str, mapping: RecordingMapping) -> Iterator[_Cell]:
    rows = _rows(name, text)
    _, names = next(rows, (1, []))
    if not mapping.fits(names):
        raise RecordingError(name, 1, f"the first row must be {_first_row(mapping)}")
    _check_units(name, names, rows, mapping)
    for line, row in rows:
        minutes = _number(name, line, mapping.time, row[0])
        for parameter, cell in zip(names[1:], row[1:], strict=True):
            if cell != "":
                yield _Cell(line, round(minutes * _MINUTE_MS), parameter, cell)


def _check_units(
    name: str, names: list[str], rows: Iterator[tuple[int, list[str]]], mapping: RecordingMapping
) -> None:
    line, units = next(rows, (2, []))
    if not units:
        raise RecordingError(name, line, "the second row must hold the units")
    for parameter, unit in zip(names, units, strict=True):
        channel = mapping.channels.get(parameter)
        if channel and unit != channel.written_as:
            raise RecordingError(name, line, f"{parameter} must be in {channel.written_as}, not {unit!r}")


def _long(name: str, text: str, mapping: RecordingMapping) -> Iterator[_Cell]:
    rows = _rows(name, text)
    _, names = next(rows, (1, []))
    if not mapping.fits(names):
        raise RecordingError(name, 1, f"the first row must be {_first_row(mapping)}")
    for line, (time, parameter, value) in rows:
        yield _Cell(line, _clock_ms(name, line, time), parameter, value)


def _rows(name: str, text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank with their line numbers, each as wide as the first."""
    width = 0
    for line, row in enumerate(csv.reader(text.splitlines()), start=1):
        if not row:
            continue
        width = width or len(row)
        if len(row) != width:
            raise RecordingError(
                name, line, f"a row must have {width} cells, as the first has, not {len(row)}"
            )
        yield line, [cell.strip() for cell in row]


def _in_time_order(name: str, cells: Iterator[_Cell]) -> Iterator[_Cell]:
    latest = 0
    for cell in cells:
        if cell.after_ms < latest:
            raise RecordingError(name, cell.line, "rows must be in time order; this one is before the last")
        latest = cell.after_ms
        yield cell


def _number(name: str, line: int, parameter: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not isfinite(number):
        raise RecordingError(name, line, f"{parameter} must be a number, which this cell is not")
    return number


def _clock_ms(name: str, line: int, text: str) -> int:
    hours, colon, minutes = text.partition(":")
    is_clock = colon and hours.isdecimal() and minutes.isdecimal() and len(minutes) == len("MM")
    if not is_clock or int(minutes) >= 60:  # noqa: PLR2004  minutes of an hour
        raise RecordingError(name, line, "the time must be HH:MM since admission, such as 27:05")
    return (int(hours) * 60 + int(minutes)) * _MINUTE_MS


def _first_row(mapping: RecordingMapping) -> str:
    if mapping.form is Form.LONG:
        return f"{mapping.time},{mapping.parameter},{mapping.value}"
    return f"{mapping.time},{','.join(mapping.channels)} (any of these columns)"
