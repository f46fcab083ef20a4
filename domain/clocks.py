"""A device's clock: when its readings count as observed, and what is said of a clock that is wrong."""

from typing import NamedTuple

from domain.alarms import Priority
from domain.alerts import Flag, Reason
from domain.chart import Offsets
from domain.draft import Draft
from domain.news import Cause
from domain.protocol import SignalRules
from domain.technical_alarms import end_technical, raise_technical


class Timing(NamedTuple):
    """When a set counts as observed, and the words of caution that follow from its device's clock."""

    effective_ms: int
    flags: tuple[Flag, ...] = ()


def timing_of(offsets: Offsets, observed_ms: int, received_ms: int, rules: SignalRules) -> Timing:
    """When a set of a device with these *offsets* counts as observed.

    A constant offset is skew, not lateness, and is corrected for. A time further ahead than allowed is
    replaced by the time of receipt, so that a fast clock does not unwatch a patient.
    """
    offset = received_ms - observed_ms
    skew_ms = offsets.skew_ms
    if skew_ms is not None and abs(offset - skew_ms) <= rules.clock_skew_tolerance_ms:
        return Timing(min(observed_ms + skew_ms, received_ms), (Flag.CLOCK_CORRECTED,))
    if -offset > rules.clock_ahead_beyond_ms:
        return Timing(received_ms, (Flag.CLOCK_AHEAD,))
    return Timing(observed_ms)


def first_offsets(observed_ms: int, received_ms: int) -> Offsets:
    """The offsets of a device heard of for the first time."""
    offset = received_ms - observed_ms
    return Offsets(offset, offset, 0, received_ms)


def with_offset(offsets: Offsets, observed_ms: int, received_ms: int, rules: SignalRules) -> Offsets:
    """*offsets* after one more pair of times; skew is established once enough like offsets have come."""
    offset = received_ms - observed_ms
    low, high, count, since_ms, skew_ms = offsets
    low, high, count = min(low, offset), max(high, offset), count + 1
    if high - low > 2 * rules.clock_skew_tolerance_ms:
        return Offsets(offset, offset, 1, received_ms, skew_ms)
    if count >= rules.clock_skew_messages and received_ms - since_ms >= rules.clock_skew_for_ms:
        middle = (low + high) // 2
        skew_ms = middle if abs(middle) > rules.clock_ahead_beyond_ms else None
    return Offsets(low, high, count, since_ms, skew_ms)


def settle_clock(draft: Draft, before: Offsets, after: Offsets, cause: Cause) -> None:
    """Raise or end the technical alarms about this device's clock: one while it is ahead, one for its skew."""
    ahead = f"clock-ahead/{cause.device_id}"
    skew = f"clock-skew/{cause.device_id}"
    if Flag.CLOCK_AHEAD in cause.flags:
        raise_technical(draft, ahead, Priority.LOW, Reason.CLOCK_AHEAD, cause)
    else:
        end_technical(draft, ahead, Reason.CLOCK_RIGHT, cause)
    if after.skew_ms is not None:
        raise_technical(draft, skew, Priority.LOW, Reason.CLOCK_SKEW, cause)
    elif before.skew_ms is not None:
        end_technical(draft, skew, Reason.CLOCK_RIGHT, cause)
