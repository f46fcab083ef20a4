"""A sign's recent past: values in time order, so that one that comes late can still take its place."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence

from domain.chart import Entry, Judgement, Track
from domain.judging import judge, lose
from domain.protocol import AlarmLimit, Measure, QuietBand, quiet_band

_LONGEST_HISTORY = 200

Judgements = Mapping[str, Judgement]
History = Sequence[tuple[int, float]]


def newest_ms(track: Track) -> int | None:
    """The time of the newest entry; None for a track without any."""
    return track.window[-1].at_ms if track.window else None


def source_of(track: Track) -> str | None:
    """The device that the newest value came from; only its loss of signal is a loss."""
    return _source_after(track.base_device, track.window)


def is_overtaken(track: Track, at_ms: int, reordering_ms: int) -> bool:
    """Whether a newer value is known, and an entry at *at_ms* too old to take its place.

    The loss of a signal overtakes nothing: the newest valid value is the patient's present state.
    """
    newest = newest_ms(track)
    if newest is None or track.value_ms is None or at_ms >= track.value_ms:
        return False
    return newest - at_ms > reordering_ms


def with_entry(track: Track, entry: Entry, limits: Sequence[AlarmLimit], reordering_ms: int) -> Track:
    """*track* with *entry* in its place and *limits* judged anew as far as needed.

    In order of time this is one step; an entry that comes late has all that follow it judged again.
    """
    history = _history_with(track.history, entry, limits, reordering_ms)
    newest = newest_ms(track)
    if newest is None or entry.at_ms > newest:
        source = source_of(track) if entry.value is None else None
        present = _step(track.present, (entry,), limits, history, source)
        window = (*track.window, entry)
    else:
        place = bisect_right(track.window, _order(entry), key=_order)
        window = (*track.window[:place], entry, *track.window[place:])
        present = _folded(track.base, window, limits, history, track.base_device)
    value_ms = track.value_ms
    if entry.value is not None and (value_ms is None or entry.at_ms > value_ms):
        value_ms = entry.at_ms
    after = Track(window, track.base, present, history, track.late_findings, track.base_device, value_ms)
    return _without_old(after, limits, reordering_ms)


def with_quiet_entry(track: Track, entry: Entry, band: QuietBand, reordering_ms: int) -> Track | None:
    """*track* with *entry* where that needs no judging: nearly always. None where it does.

    So it is when nothing was wrong, the entry is the newest, and neither it nor what leaves the window
    can violate a limit. The result is that of `with_entry`, at a fraction of its cost.
    """
    low, high = band
    window, at_ms, value = track.window, entry.at_ms, entry.value
    if track.present or track.base or value is None or not low < value < high:
        return None
    if window and window[-1].at_ms >= at_ms:
        return None
    kept, source = 0, track.base_device
    oldest_kept = at_ms - reordering_ms
    for old in window:
        if old.at_ms >= oldest_kept:
            break
        kept += 1
        if old.value is None:
            continue
        if not low < old.value < high:
            return None
        source = old.device_id
    shared = window[-1].source if window and window[-1].source == entry.source else entry.source
    return Track(
        (*window[kept:], Entry(at_ms, value, shared)),
        track.base,
        track.present,
        track.history,
        track.late_findings,
        source,
        at_ms,
    )


def _time(entry: Entry) -> int:
    return entry.at_ms


def _order(entry: Entry) -> tuple[int, bool, float, str, str]:
    device_id, site, _ = entry.source
    return entry.at_ms, entry.value is None, entry.value or 0.0, device_id, site or ""


def judged_value(limit: AlarmLimit, value: float, at_ms: int, history: History) -> float:
    """What *limit* looks at: the value itself, or how far it lies below the highest in the limit's window."""
    if limit.measure is Measure.VALUE:
        return value
    highest = max((past for when, past in history if at_ms - limit.window_ms <= when <= at_ms), default=value)
    return max(highest - value, 0.0)


def was_in_force(track: Track, limit: AlarmLimit) -> bool:
    """Whether a tier of *limit* was in force at any moment that *track* still knows."""
    return _is_in_force(track.base, limit) or first_in_force(track, limit) is not None


def first_in_force(track: Track, limit: AlarmLimit) -> Entry | None:
    """The value of the window with which a tier of *limit* was first in force; a loss counts as the one before it."""
    latest = None
    for moment, state in _states(track.base, track.window, (limit,), track.history, track.base_device):
        values = [entry for entry in moment if entry.value is not None]
        latest = _worst(limit, values) if values else latest
        if _is_in_force(state, limit):
            return latest or moment[-1]
    return None


def _is_in_force(judgements: Judgements, limit: AlarmLimit) -> bool:
    judgement = judgements.get(limit.limit_id)
    return judgement is not None and judgement.tier >= 0


def _folded(
    base: Judgements,
    window: Sequence[Entry],
    limits: Sequence[AlarmLimit],
    history: History,
    source: str | None,
) -> Judgements:
    present = base
    for _, state in _states(base, window, limits, history, source):
        present = state
    return present


def _states(
    base: Judgements,
    window: Sequence[Entry],
    limits: Sequence[AlarmLimit],
    history: History,
    source: str | None,
) -> Iterator[tuple[tuple[Entry, ...], Judgements]]:
    """Each moment of *window* that *limits* have something to say about, with how they stood after it.

    Nearly every value is quiet, and while nothing is wrong leaves it so: that need not be judged to be known.
    """
    low, high = quiet_band(limits)
    state, start = base, 0
    while start < len(window):
        first, end = window[start], start + 1
        while end < len(window) and window[end].at_ms == first.at_ms:
            end += 1
        if not state and end == start + 1 and (first.value is None or low < first.value < high):
            source = source if first.value is None else first.device_id
        else:
            moment = tuple(window[start:end])
            state = _step(state, moment, limits, history, source)
            source = _source_after(source, moment)
            yield moment, state
        start = end


def _source_after(source: str | None, entries: Sequence[Entry]) -> str | None:
    return next((entry.device_id for entry in reversed(entries) if entry.value is not None), source)


def _step(
    judgements: Judgements,
    moment: Sequence[Entry],
    limits: Sequence[AlarmLimit],
    history: History,
    source: str | None,
) -> Judgements:
    """*judgements* after the entries of one moment; of several values the worse one counts.

    A loss counts where *source*, the device of the value before it, has lost its signal.
    """
    valued = [entry for entry in moment if entry.value is not None]
    if not valued and all(entry.device_id != source for entry in moment):
        return judgements
    at_ms = moment[0].at_ms
    after = {}
    for limit in limits:
        before = judgements.get(limit.limit_id)
        if valued:
            worst = _worst(limit, valued)
            value = judged_value(limit, worst.value or 0.0, at_ms, history)
            judgement = judge(limit, before, value, at_ms, is_streamed=worst.is_streamed)
        else:
            judgement = lose(limit, before)
        if judgement is not None:
            after[limit.limit_id] = judgement
    return after


def newest_value(track: Track, limit: AlarmLimit) -> Entry | None:
    """The newest entry that has a value; of several at one moment the one that *limit* minds most."""
    newest = next((entry for entry in reversed(track.window) if entry.value is not None), None)
    if newest is None:
        return None
    return _worst(limit, [entry for entry in entries_at(track, newest.at_ms) if entry.value is not None])


def entries_at(track: Track, at_ms: int) -> Sequence[Entry]:
    """What is known of the moment *at_ms*."""
    start = bisect_left(track.window, at_ms, key=_time)
    return track.window[start : bisect_right(track.window, at_ms, start, key=_time)]


def _worst(limit: AlarmLimit, entries: Sequence[Entry]) -> Entry:
    """The entry that *limit* minds most; of equal ones that of a spot check, which knows no delay."""
    if len(entries) == 1:
        return entries[0]
    if limit.is_worse_below:
        return min(entries, key=lambda entry: (entry.value, entry.is_streamed))
    return max(entries, key=lambda entry: (entry.value, not entry.is_streamed))


def _without_old(track: Track, limits: Sequence[AlarmLimit], reordering_ms: int) -> Track:
    """*track* with its base moved on past the entries that nothing can come before any more."""
    window = track.window
    oldest_kept = window[-1].at_ms - reordering_ms
    if window[0].at_ms >= oldest_kept:
        return track
    kept = next(index for index, entry in enumerate(window) if entry.at_ms >= oldest_kept)
    base = _folded(track.base, window[:kept], limits, track.history, track.base_device)
    device = _source_after(track.base_device, window[:kept])
    return track._replace(window=window[kept:], base=base, base_device=device)


def _history_with(
    history: tuple[tuple[int, float], ...], entry: Entry, limits: Sequence[AlarmLimit], reordering_ms: int
) -> tuple[tuple[int, float], ...]:
    span = max((limit.window_ms for limit in limits), default=0)
    if span == 0 or entry.value is None:
        return history
    newest = max(entry.at_ms, history[-1][0] if history else entry.at_ms)
    known = sorted((*history, (entry.at_ms, entry.value)))
    return tuple(past for past in known if newest - past[0] <= span + reordering_ms)[-_LONGEST_HISTORY:]
