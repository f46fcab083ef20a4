"""One set as it came, and the device it came from: its clock, its rhythm, what it delivers."""

from typing import NamedTuple

from domain.alarms import Priority
from domain.alerts import Flag, Reason
from domain.chart import Device, Flood
from domain.clocks import first_offsets, settle_clock, timing_of, with_offset
from domain.draft import Draft
from domain.flooding import is_over_budget, with_set
from domain.news import Cause
from domain.observations import Acquisition, ObservationSet
from domain.overdue import come_back
from domain.protocol import Lateness, SignalRules
from domain.signals import has_lost_channel, settle_signals, with_channels
from domain.technical_alarms import end_technical, raise_technical
from domain.times import to_ms

_MOST_DEVICES = 32
_SAME_MOMENT_MS = 500


class Arrival(NamedTuple):
    """One set as it came: when it counts as observed, from where, and what must be said with it."""

    observation: ObservationSet
    observed_ms: int  # effective
    received_ms: int
    is_streamed: bool
    flags: tuple[Flag, ...]
    before: Device
    after: Device

    @property
    def cause(self) -> Cause:
        """The set as the cause of what follows from it; made only when something does."""
        return Cause(
            key=self.observation.readings[0].reading_id,
            observed_ms=self.observed_ms,
            received_ms=self.received_ms,
            flags=self.flags,
            device_id=self.observation.device_id,
            correlation_id=self.observation.correlation_id,
        )


def arrive(draft: Draft, observation: ObservationSet, received_ms: int, *, is_conflict: bool) -> Arrival:
    """Note on *draft* that the set's device has sent, and say when the set counts as observed."""
    rules = draft.protocol.signals
    observed_ms = to_ms(observation.observed_at)
    before = draft.devices.get(observation.device_id)
    if before is None:
        offsets = first_offsets(observed_ms, received_ms)
        before = Device(observation.acquisition, received_ms, observed_ms, None, offsets)
    offsets = with_offset(before.offsets, observed_ms, received_ms, rules)
    effective_ms, flags = timing_of(offsets, observed_ms, received_ms, rules)
    after = Device(
        observation.acquisition,
        max(before.received_ms, received_ms),
        max(before.newest_ms, observed_ms),
        _interval(before, received_ms),
        offsets,
        with_channels(before.channels, observation.readings, effective_ms, rules),
        _burst(before, observation, observed_ms, rules),
        # What came before its silence, and is only now read (from another partition), does not end it.
        before.is_overdue and received_ms <= before.received_ms,
        _flood(before, received_ms, rules),
    )
    flags += _cautions(draft.protocol.lateness, received_ms - effective_ms, is_conflict=is_conflict)
    is_streamed = observation.acquisition is Acquisition.CONTINUOUS
    arrival = Arrival(observation, effective_ms, received_ms, is_streamed, flags, before, after)
    _keep(draft, observation.device_id, after)
    if before.is_overdue and not after.is_overdue:
        come_back(draft, observation.device_id, arrival.cause)
    return arrival


def settle_device(draft: Draft, arrival: Arrival) -> None:
    """Raise and end what there is to say of the device itself: its clock, its signals, its rhythm."""
    before, after = arrival.before, arrival.after
    is_quiet = not (draft.alarms or arrival.flags or after.burst or before.offsets.skew_ms is not None)
    if after.flood is not None and is_over_budget(after, draft.protocol.signals):
        is_quiet = False
    if is_quiet and not has_lost_channel(after):
        return  # nearly every set: nothing is wrong, nothing can end
    cause = arrival.cause
    settle_clock(draft, before.offsets, after.offsets, cause)
    settle_signals(draft, arrival.observation.device_id, after, arrival.observed_ms, cause)
    _settle_rhythm(draft, arrival.observation.device_id, after, cause)


def _cautions(lateness: Lateness, age_ms: int, *, is_conflict: bool) -> tuple[Flag, ...]:
    is_late = age_ms > lateness.late_after_ms
    if not is_late and not is_conflict:
        return ()
    return (*((Flag.LATE,) if is_late else ()), *((Flag.CONFLICT,) if is_conflict else ()))


def _interval(device: Device, received_ms: int) -> int | None:
    """The device's rhythm: its last gap, which may grow only twofold at a time."""
    gap = received_ms - device.received_ms
    if gap <= _SAME_MOMENT_MS:
        return device.interval_ms
    return gap if device.interval_ms is None else min(gap, 2 * device.interval_ms)


def _burst(device: Device, observation: ObservationSet, observed_ms: int, rules: SignalRules) -> int:
    """How many spot checks in a row have come too soon after one another."""
    if observation.acquisition is Acquisition.CONTINUOUS:
        return 0
    since = observed_ms - device.newest_ms
    if since <= 0:
        return device.burst
    return device.burst + 1 if since < rules.spot_check_interval_ms else 0


def _flood(device: Device, received_ms: int, rules: SignalRules) -> Flood | None:
    gap_ms = received_ms - device.received_ms
    if device.flood is None and (gap_ms >= rules.flood_spacing_ms or not device.offsets.messages):
        return None  # nearly every set, and the first
    return with_set(device.flood, gap_ms, rules)


def _keep(draft: Draft, device_id: str, device: Device) -> None:
    draft.devices[device_id] = device
    if len(draft.devices) > _MOST_DEVICES:
        oldest = min(draft.devices, key=lambda each: (draft.devices[each].received_ms, each))
        del draft.devices[oldest]


def _settle_rhythm(draft: Draft, device_id: str, device: Device, cause: Cause) -> None:
    flooding = f"flooding/{device_id}"
    if is_over_budget(device, draft.protocol.signals):
        raise_technical(draft, flooding, Priority.LOW, Reason.FLOODING, cause)
    elif device.flood is None:
        end_technical(draft, flooding, Reason.RHYTHM_RIGHT, cause)
    rule_id = f"too-frequent/{device_id}"
    if device.burst >= draft.protocol.signals.spot_check_burst:
        raise_technical(draft, rule_id, Priority.LOW, Reason.TOO_FREQUENT, cause)
    elif device.burst == 0:
        end_technical(draft, rule_id, Reason.RHYTHM_RIGHT, cause)
