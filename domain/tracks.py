"""A sign's recent past: values in time order, so that one that comes late can still take its place."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from domain.chart import Entry, Judgement, Track
from domain.judging import judge, lose
from domain.protocol import AlarmLimit, Measure, Side

_LONGEST_HISTORY = 200


def newest_ms(track: Track) -> int | None:
    """The time of the newest entry; None for a track without any."""
    return track.window[-1].at_ms if track.window else None


def is_overtaken(track: Track, at_ms: int, reordering_ms: int) -> bool:
    """Whether newer evidence lies so far after *at_ms* that an entry there can no longer take its place."""
    newest = newest_ms(track)
    return newest is not None and newest - at_ms > reordering_ms


def with_entry(track: Track, entry: Entry, limits: Sequence[AlarmLimit], reordering_ms: int) -> Track:
    """*track* with *entry* in its place and *limits* judged anew as far as needed.

    In order of time this is one step; an entry that comes late has all that follow it judged again.
    """
    history = _history_with(track.history, entry, limits)
    newest = newest_ms(track)
    if newest is None or entry.at_ms > newest:
        present = _step(track.present, (entry,), limits, history)
        window = (*track.window, entry)
    else:
        window = tuple(sorted((*track.window, entry), key=lambda each: (each.at_ms, each.reading_hex)))
        present = _folded(track.base, window, limits, history)
    base, window = _without_old(track.base, window, limits, history, reordering_ms)
    return Track(window, base, present, history, track.late_findings)


def judged_value(limit: AlarmLimit, value: float, at_ms: int, history: Sequence[tuple[int, float]]) -> float:
    """What *limit* looks at: the value itself, or how far it lies below the highest in the limit's window."""
    if limit.measure is Measure.VALUE:
        return value
    highest = max((past for when, past in history if at_ms - limit.window_ms <= when <= at_ms), default=value)
    return max(highest - value, 0.0)


def _folded(
    base: Mapping[str, Judgement],
    window: Sequence[Entry],
    limits: Sequence[AlarmLimit],
    history: Sequence[tuple[int, float]],
) -> Mapping[str, Judgement]:
    present = base
    for moment in _moments(window):
        present = _step(present, moment, limits, history)
    return present


def _moments(window: Sequence[Entry]) -> Iterator[tuple[Entry, ...]]:
    for _, entries in groupby(window, key=lambda entry: entry.at_ms):
        yield tuple(entries)


def _step(
    judgements: Mapping[str, Judgement],
    moment: Sequence[Entry],
    limits: Sequence[AlarmLimit],
    history: Sequence[tuple[int, float]],
) -> Mapping[str, Judgement]:
    """*judgements* after the entries of one moment; of several values the worse one counts."""
    values = [entry.value for entry in moment if entry.value is not None]
    at_ms = moment[0].at_ms
    is_streamed = moment[0].is_streamed
    after = {}
    for limit in limits:
        before = judgements.get(limit.limit_id)
        if values:
            value = judged_value(limit, _worst(limit, values), at_ms, history)
            judgement = judge(limit, before, value, at_ms, is_streamed=is_streamed)
        else:
            judgement = lose(limit, before)
        if judgement is not None:
            after[limit.limit_id] = judgement
    return after


def _worst(limit: AlarmLimit, values: Sequence[float]) -> float:
    if len(values) == 1:
        return values[0]
    is_low = limit.side is Side.LOW or limit.measure is Measure.FALL
    return min(values) if is_low else max(values)


def _without_old(
    base: Mapping[str, Judgement],
    window: tuple[Entry, ...],
    limits: Sequence[AlarmLimit],
    history: Sequence[tuple[int, float]],
    reordering_ms: int,
) -> tuple[Mapping[str, Judgement], tuple[Entry, ...]]:
    """*base* moved on past the entries that nothing can come before any more, and the window without them."""
    oldest_kept = window[-1].at_ms - reordering_ms
    if window[0].at_ms >= oldest_kept:
        return base, window
    kept = next(index for index, entry in enumerate(window) if entry.at_ms >= oldest_kept)
    return _folded(base, window[:kept], limits, history), window[kept:]


def _history_with(
    history: tuple[tuple[int, float], ...], entry: Entry, limits: Sequence[AlarmLimit]
) -> tuple[tuple[int, float], ...]:
    span = max((limit.window_ms for limit in limits), default=0)
    if span == 0 or entry.value is None:
        return history
    newest = max(entry.at_ms, history[-1][0] if history else entry.at_ms)
    known = sorted((*history, (entry.at_ms, entry.value)))
    return tuple(past for past in known if newest - past[0] <= span)[-_LONGEST_HISTORY:]
