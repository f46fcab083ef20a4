"""A device's clock: when its readings count as observed, and what is said of a clock that is wrong."""

from dataclasses import dataclass, replace

from domain.alarms import Priority
from domain.alerts import Flag, Reason
from domain.chart import Device
from domain.draft import Cause, Draft
from domain.observations import ObservationSet
from domain.protocol import SignalRules
from domain.technical_alarms import end_technical, raise_technical
from domain.times import duration_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When a set counts as observed, and the words of caution that follow from its device's clock."""

    effective_ms: int
    flags: tuple[Flag, ...] = ()


def timing_of(device: Device, observed_ms: int, received_ms: int, rules: SignalRules) -> Timing:
    """When a set of *device* counts as observed.

    A constant offset is skew, not lateness, and is corrected for. A time further ahead than allowed is
    replaced by the time of receipt, so that a fast clock does not unwatch a patient.
    """
    tolerance = duration_ms(rules.clock_skew_tolerance)
    offset = received_ms - observed_ms
    if device.skew_ms is not None and abs(offset - device.skew_ms) <= tolerance:
        return Timing(
            effective_ms=min(observed_ms + device.skew_ms, received_ms), flags=(Flag.CLOCK_CORRECTED,)
        )
    if -offset > duration_ms(rules.clock_ahead_beyond):
        return Timing(effective_ms=received_ms, flags=(Flag.CLOCK_AHEAD,))
    return Timing(effective_ms=observed_ms)


def new_device(observation: ObservationSet, observed_ms: int, received_ms: int) -> Device:
    """A device heard of for the first time."""
    offset = received_ms - observed_ms
    return Device(
        acquisition=observation.acquisition,
        received_ms=received_ms,
        newest_ms=observed_ms,
        interval_ms=None,
        offset_low_ms=offset,
        offset_high_ms=offset,
        offset_count=0,
        offset_since_ms=received_ms,
        skew_ms=None,
    )


def with_offset(device: Device, observed_ms: int, received_ms: int, rules: SignalRules) -> Device:
    """*device* after one more pair of times; its skew is established once enough like offsets have come."""
    offset = received_ms - observed_ms
    low, high = min(device.offset_low_ms, offset), max(device.offset_high_ms, offset)
    if high - low > 2 * duration_ms(rules.clock_skew_tolerance):
        return replace(
            device, offset_low_ms=offset, offset_high_ms=offset, offset_count=1, offset_since_ms=received_ms
        )
    counted = replace(device, offset_low_ms=low, offset_high_ms=high, offset_count=device.offset_count + 1)
    return replace(counted, skew_ms=_skew(counted, received_ms, rules))


def _skew(device: Device, received_ms: int, rules: SignalRules) -> int | None:
    if device.offset_count < rules.clock_skew_messages:
        return device.skew_ms
    if received_ms - device.offset_since_ms < duration_ms(rules.clock_skew_for):
        return device.skew_ms
    middle = (device.offset_low_ms + device.offset_high_ms) // 2
    return middle if abs(middle) > duration_ms(rules.clock_ahead_beyond) else None


def settle_clock(draft: Draft, before: Device, after: Device, timing: Timing, cause: Cause) -> None:
    """Raise or end the technical alarms about this device's clock: one while it is ahead, one for its skew."""
    ahead = f"clock-ahead/{cause.device_id}"
    skew = f"clock-skew/{cause.device_id}"
    if Flag.CLOCK_AHEAD in timing.flags:
        raise_technical(draft, ahead, Priority.LOW, Reason.CLOCK_AHEAD, cause)
    else:
        end_technical(draft, ahead, Reason.CLOCK_RIGHT, cause)
    if after.skew_ms is not None:
        raise_technical(draft, skew, Priority.LOW, Reason.CLOCK_SKEW, cause)
    elif before.skew_ms is not None:
        end_technical(draft, skew, Reason.CLOCK_RIGHT, cause)
