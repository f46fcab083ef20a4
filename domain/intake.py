"""Readings come in: each takes its place in its sign's track and is judged."""

from collections.abc import Sequence

from domain.alerts import Flag
from domain.arrivals import Arrival, arrive, settle_device
from domain.chart import Entry, Flood, Source, Track
from domain.draft import Draft
from domain.flooding import is_judged_in, is_over_budget, loses_something, makes_it_worse, with_judged
from domain.late_findings import find_late, find_what_passed_unheard
from domain.limit_alarms import Verdict, end_out_of_force, loudest, settle, turn_of
from domain.limits_in_force import limits_in_force
from domain.news import Cause
from domain.observations import ObservationSet, Reading, Validity
from domain.protocol import ALWAYS_QUIET, AlarmLimit, Lateness
from domain.tracks import entries_at, is_overtaken, newest_ms, with_entry, with_quiet_entry
from domain.vital_signs import DEFINITIONS, VitalSign, is_suspect, rounded

_EMPTY = Track()


def take_observations(
    draft: Draft, observation: ObservationSet, received_ms: int, *, is_conflict: bool
) -> tuple[tuple[Verdict, ...], tuple[Flag, ...]]:
    """Work one set into *draft*; a verdict for each reading, and the flags the set is stored with."""
    arrival = arrive(draft, observation, received_ms, is_conflict=is_conflict)
    if arrival.after.flood is not None and is_over_budget(arrival.after, draft.protocol.signals):
        return _take_some(draft, observation.readings, arrival, arrival.after.flood), arrival.flags
    verdicts = _take_all(draft, observation.readings, arrival)
    settle_device(draft, arrival)
    return verdicts, arrival.flags


def _take_some(
    draft: Draft, readings: Sequence[Reading], arrival: Arrival, flood: Flood
) -> tuple[Verdict, ...]:
    """More than the device's budget: each sign once in a second of received time, and whatever makes it worse."""
    received_ms = arrival.received_ms
    due = {
        reading.vital_sign for reading in readings if not is_judged_in(flood, reading.vital_sign, received_ms)
    }
    taken = [
        reading for reading in readings if reading.vital_sign in due or _is_urgent(draft, reading, arrival)
    ]
    if not taken:
        return (Verdict.EXCESS,) * len(readings)
    after = arrival.after._replace(flood=with_judged(flood, due, received_ms))
    draft.devices[arrival.observation.device_id] = after
    judged = iter(_take_all(draft, taken, arrival))
    settle_device(draft, arrival)
    chosen = {id(reading) for reading in taken}
    return tuple(next(judged) if id(reading) in chosen else Verdict.EXCESS for reading in readings)


def _is_urgent(draft: Draft, reading: Reading, arrival: Arrival) -> bool:
    track = draft.tracks.get(reading.vital_sign, _EMPTY)
    if not _has_value(reading):
        return loses_something(track)
    limits = limits_in_force(draft, reading.vital_sign, arrival.observed_ms).limits
    value = rounded(reading.vital_sign, reading.value or 0.0)
    return makes_it_worse(track, limits, value, arrival.observed_ms)


def _take_all(draft: Draft, readings: Sequence[Reading], arrival: Arrival) -> tuple[Verdict, ...]:
    if len(readings) == 1:
        return (_take(draft, readings[0], arrival),)
    signs = [reading.vital_sign for reading in readings if _has_value(reading)]
    if len(set(signs)) == len(signs):
        return tuple(_take(draft, reading, arrival) for reading in readings)
    # In the order of the set, never of a Python set: that differs from one process to the next.
    together = dict.fromkeys(sign for sign in signs if signs.count(sign) > 1)
    said = {sign: _take_together(draft, readings, sign, arrival) for sign in together}
    return tuple(
        said[reading.vital_sign]
        if _has_value(reading) and reading.vital_sign in said
        else _take(draft, reading, arrival)
        for reading in readings
    )


def _take_together(draft: Draft, readings: Sequence[Reading], sign: VitalSign, arrival: Arrival) -> Verdict:
    """One sign several times at one moment, as from a cuff and an arterial line: judged once, by the worse."""
    if DEFINITIONS[sign].stored_only:
        return Verdict.STORED_ONLY
    usable = [reading for reading in readings if reading.vital_sign is sign and _has_value(reading)]
    entries = [_entry(reading, arrival) for reading in usable]
    return _take_values(draft, usable, entries, arrival.cause)


def _has_value(reading: Reading) -> bool:
    return reading.validity.is_usable and reading.value is not None


def _entry(reading: Reading, arrival: Arrival) -> Entry:
    """The reading as its track keeps it; a value, since it may become evidence, with its id."""
    source = Source(arrival.observation.device_id, reading.site, arrival.is_streamed)
    if not _has_value(reading) or reading.value is None:
        return Entry(arrival.observed_ms, None, source)
    value = rounded(reading.vital_sign, reading.value)
    return Entry(arrival.observed_ms, value, source, reading.reading_id.hex)


def _take(draft: Draft, reading: Reading, arrival: Arrival) -> Verdict:
    if DEFINITIONS[reading.vital_sign].stored_only:
        return Verdict.STORED_ONLY
    if not _has_value(reading):
        return _take_loss(draft, reading, arrival)
    quiet = _take_quietly(draft, reading, arrival)
    return quiet or _take_values(draft, (reading,), (_entry(reading, arrival),), arrival.cause)


def _cause_of(reading: Reading, cause: Cause) -> Cause:
    flags = cause.flags
    if reading.validity is Validity.QUESTIONABLE:
        flags = (*flags, Flag.QUESTIONABLE)
    if _has_value(reading) and is_suspect(reading.vital_sign, reading.value or 0.0):
        flags = (*flags, Flag.SUSPECT)
    return cause._replace(
        key=reading.reading_id, flags=flags, evidence=(reading.reading_id,), site=reading.site
    )


def _take_quietly(draft: Draft, reading: Reading, arrival: Arrival) -> Verdict | None:
    """Nearly every reading: nothing was wrong, nothing is. None where more has to be thought."""
    sign, at_ms, lateness = reading.vital_sign, arrival.observed_ms, draft.protocol.lateness
    if draft.has_alarm_on(sign) or arrival.received_ms - at_ms > lateness.shortest_ms:
        return None
    band = limits_in_force(draft, sign, at_ms).band
    value = rounded(sign, reading.value or 0.0)
    if not band.low < value < band.high:
        return None
    entry = Entry(at_ms, value, Source(arrival.observation.device_id, reading.site, arrival.is_streamed))
    after = with_quiet_entry(draft.tracks.get(sign, _EMPTY), entry, band, lateness.reordering_ms)
    if after is None:
        return None
    draft.tracks[sign] = after
    return Verdict.NO_LIMIT if band == ALWAYS_QUIET else Verdict.UNCHANGED


def _take_values(
    draft: Draft, readings: Sequence[Reading], entries: Sequence[Entry], cause: Cause
) -> Verdict:
    """Work the values of one sign at one moment into its track, and judge them once, together."""
    sign, at_ms = readings[0].vital_sign, entries[0].at_ms
    before = draft.tracks.get(sign, _EMPTY)
    limits = limits_in_force(draft, sign, at_ms).limits
    newest = newest_ms(before)
    is_reordered = newest is not None and at_ms <= newest
    fresh = [entry for entry in entries if not is_reordered or not _is_known(before, entry)]
    if not fresh:
        return Verdict.UNCHANGED  # the same readings again
    unjudged = _why_not_judged(draft.protocol.lateness, before, fresh[0], cause, sign)
    if unjudged is not None:
        for reading, entry in zip(readings, entries, strict=True):
            track = draft.tracks.get(sign, _EMPTY)
            draft.tracks[sign] = find_late(draft, track, entry, limits, _cause_of(reading, cause))
        return unjudged
    after = before
    for entry in fresh:
        after = with_entry(after, entry, limits, draft.protocol.lateness.reordering_ms)
    draft.tracks[sign] = after
    if not is_reordered and _is_quiet(draft, before, after):
        return Verdict.UNCHANGED if limits else Verdict.NO_LIMIT
    if is_reordered and _is_known_otherwise(before, fresh[0]):
        cause = cause._replace(flags=(*cause.flags, Flag.CONFLICT))
    verdicts = {
        settle(turn_of(draft, limit, before, after, _cause_of(_worst(limit, readings), cause)))
        for limit in limits
    }
    cause = _cause_of(readings[0], cause)
    if is_reordered:
        draft.tracks[sign] = find_what_passed_unheard(draft, limits, before, after, fresh[0], cause)
    if end_out_of_force(draft, sign, limits, cause):
        verdicts.add(Verdict.ENDED)
    return loudest(verdicts) if verdicts else Verdict.NO_LIMIT


def _is_known_otherwise(track: Track, entry: Entry) -> bool:
    """Whether the same device has sent another value for the same moment and site."""
    return any(each.source == entry.source for each in entries_at(track, entry.at_ms))


def _is_known(track: Track, entry: Entry) -> bool:
    return any(each.is_same_as(entry) for each in entries_at(track, entry.at_ms))


def _is_quiet(draft: Draft, before: Track, after: Track) -> bool:
    """Nearly every reading: nothing was wrong, nothing is."""
    return not before.present and not after.present and not draft.alarms


def _worst(limit: AlarmLimit, readings: Sequence[Reading]) -> Reading:
    """Which of several readings of one sign at one moment *limit* is judged by."""
    worst = min if limit.is_worse_below else max
    return worst(readings, key=lambda reading: reading.value or 0.0)


def _why_not_judged(
    lateness: Lateness, track: Track, entry: Entry, cause: Cause, sign: VitalSign
) -> Verdict | None:
    if is_overtaken(track, entry.at_ms, lateness.reordering_ms):
        return Verdict.OVERTAKEN
    oldest = lateness.spot_check_ms
    if entry.is_streamed:
        oldest = lateness.streamed_ms.get(sign, lateness.streamed_default_ms)
    return Verdict.TOO_OLD if cause.received_ms - entry.at_ms > oldest else None


def _take_loss(draft: Draft, reading: Reading, arrival: Arrival) -> Verdict:
    """There is no value: what was pending starts, what was clearing waits; nothing is called normal."""
    said = Verdict.ABSENT if reading.validity is Validity.ABSENT else Verdict.UNUSABLE
    track = draft.tracks.get(reading.vital_sign, _EMPTY)
    reordering_ms = draft.protocol.lateness.reordering_ms
    if is_overtaken(track, arrival.observed_ms, reordering_ms):
        return said
    entry = _entry(reading, arrival)
    if _is_known(track, entry):
        return said
    limits = limits_in_force(draft, reading.vital_sign, entry.at_ms).limits
    after = with_entry(track, entry, limits, reordering_ms)
    draft.tracks[reading.vital_sign] = after
    is_reordered = arrival.observed_ms <= (newest_ms(track) or 0)
    if track.present or after.present or is_reordered:
        lost = _cause_of(reading, arrival.cause._replace(flags=(*arrival.flags, Flag.SIGNAL_LOST)))
        for limit in limits:
            settle(turn_of(draft, limit, track, after, lost))
        if is_reordered:
            draft.tracks[reading.vital_sign] = find_what_passed_unheard(
                draft, limits, track, after, entry, lost
            )
    return said
