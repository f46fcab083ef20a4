"""Timers of a chart: a monitor that says nothing any more is noticed without a new reading."""

from collections.abc import Iterator, Sequence

from domain.alerts import Flag, Reason
from domain.chart import Device, Entry, Source, Track
from domain.draft import Draft
from domain.limit_alarms import settle, turn_of
from domain.limits_in_force import limits_in_force
from domain.news import Cause
from domain.observations import Acquisition
from domain.protocol import AlarmLimit, SignalRules
from domain.technical_alarms import end_technical, raise_technical
from domain.tracks import source_of, with_entry
from domain.wards import WardSignal


def overdue_ms(device: Device, rules: SignalRules) -> int | None:
    """When *device* counts as silent; None for spot checks, and where that has been said already."""
    if device.acquisition is not Acquisition.CONTINUOUS or device.is_overdue:
        return None
    shortest, longest = rules.overdue_at_least_ms, rules.overdue_at_most_ms
    if device.interval_ms is None:  # heard once: nobody knows its rhythm yet
        return device.received_ms + longest
    wanted = int(device.interval_ms * rules.overdue_intervals)
    return device.received_ms + min(max(wanted, shortest), longest)


def next_due_ms(draft: Draft) -> int | None:
    """The earliest moment at which something happens to this chart without a new reading."""
    earliest = None
    for device in draft.devices.values():
        due_ms = overdue_ms(device, draft.protocol.signals)
        if due_ms is not None and (earliest is None or due_ms < earliest):
            earliest = due_ms
    return earliest


def pass_time(draft: Draft, until_ms: int) -> None:
    """Let every timer that is due by *until_ms* run out, each at its own due time and in their order."""
    if draft.due_ms is not None and draft.due_ms > until_ms:
        return  # nearly always: nothing is due before that
    earliest = next_due_ms(draft)
    if earliest is None or earliest > until_ms:
        return
    for due_ms, device_id in sorted(_due(draft, until_ms)):
        draft.clock_ms = max(draft.clock_ms, due_ms)
        _fall_silent(draft, device_id, due_ms)


def _due(draft: Draft, until_ms: int) -> Iterator[tuple[int, str]]:
    for device_id, device in draft.devices.items():
        due_ms = overdue_ms(device, draft.protocol.signals)
        if due_ms is not None and due_ms <= until_ms:
            yield due_ms, device_id


def _fall_silent(draft: Draft, device_id: str, due_ms: int) -> None:
    rules = draft.protocol.signals
    cause = Cause(
        key=f"overdue\x1f{device_id}\x1f{due_ms}", observed_ms=due_ms, received_ms=due_ms, device_id=device_id
    )
    draft.devices[device_id] = draft.devices[device_id]._replace(is_overdue=True)
    raise_technical(
        draft, f"signal-overdue/{device_id}", rules.overdue_priority, Reason.SIGNAL_OVERDUE, cause
    )
    _lose_what_was_pending(draft, device_id, cause)
    _tell_ward(draft, device_id, due_ms, is_silent=True)


def come_back(draft: Draft, device_id: str, cause: Cause) -> None:
    """A silent device has sent again."""
    draft.devices[device_id] = draft.devices[device_id]._replace(is_overdue=False)
    end_technical(draft, f"signal-overdue/{device_id}", Reason.SIGNAL_BACK, cause)
    _tell_ward(draft, device_id, cause.received_ms, is_silent=False)


def forget_device(draft: Draft, device_id: str, at_ms: int) -> None:
    """The device is no longer at this patient: it is neither awaited nor missed."""
    device = draft.devices.pop(device_id, None)
    if device is not None and device.is_overdue:
        _tell_ward(draft, device_id, at_ms, is_silent=False)


def leave_ward(draft: Draft, at_ms: int) -> None:
    """The patient goes elsewhere: no device of theirs is one of the silent ones here any more."""
    for device_id, device in draft.devices.items():
        if device.is_overdue:
            _tell_ward(draft, device_id, at_ms, is_silent=False)


def _tell_ward(draft: Draft, device_id: str, at_ms: int, *, is_silent: bool) -> None:
    if draft.ward is not None:
        subject = f"{draft.patient_id}/{device_id}"
        draft.ward_signals.append(
            WardSignal(ward=draft.ward, mode=draft.mode, subject=subject, is_silent=is_silent, at_ms=at_ms)
        )


def _lose_what_was_pending(draft: Draft, device_id: str, cause: Cause) -> None:
    flagged = cause._replace(flags=(Flag.SIGNAL_LOST,))
    for sign, track in list(draft.tracks.items()):
        if not track.present or source_of(track) != device_id:
            continue
        limits = limits_in_force(draft, sign, cause.observed_ms).limits
        after = _lost(track, cause.observed_ms, limits, draft)
        draft.tracks[sign] = after
        for limit in limits:
            settle(turn_of(draft, limit, track, after, flagged))


def _lost(track: Track, at_ms: int, limits: Sequence[AlarmLimit], draft: Draft) -> Track:
    last = track.window[-1]
    source = Source(source_of(track) or "", is_streamed=True)
    loss = Entry(max(at_ms, last.at_ms + 1), None, source)
    return with_entry(track, loss, limits, draft.protocol.lateness.reordering_ms)
