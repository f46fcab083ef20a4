"""A device that sends far too much: which of its values are judged, so that it delays nobody and hides nothing."""

from collections.abc import Mapping, Sequence

from domain.chart import Device, Flood, Track
from domain.protocol import AlarmLimit, SignalRules
from domain.tracks import judged_value
from domain.vital_signs import VitalSign

_SECOND_MS = 1000
_LONGEST_OVER_MS = 10_000  # so long after its end, at most, is a flood remembered as one
_NONE: Mapping[VitalSign, int] = {}


def with_set(flood: Flood | None, gap_ms: int, rules: SignalRules) -> Flood | None:
    """How a device stands with its budget after one more set, *gap_ms* of received time after the last.

    A leaky bucket: each set costs its spacing, time pays. None: it owes nothing, as nearly every device.
    """
    owed = (0 if flood is None else flood.owed_ms) + rules.flood_spacing_ms - max(gap_ms, 0)
    if owed <= 0:
        return None
    owed = min(owed, rules.flood_budget_ms + _LONGEST_OVER_MS)
    is_over = flood is not None and owed > rules.flood_budget_ms
    return Flood(owed, flood.judged if flood is not None and is_over else _NONE)


def is_over_budget(device: Device, rules: SignalRules) -> bool:
    """Whether the device's last set was more than its budget allows."""
    return device.flood is not None and device.flood.owed_ms > rules.flood_budget_ms


def is_judged_in(flood: Flood, sign: VitalSign, received_ms: int) -> bool:
    """Whether *sign* of the device has been judged already in this second of received time."""
    return flood.judged.get(sign) == received_ms // _SECOND_MS


def with_judged(flood: Flood, signs: set[VitalSign], received_ms: int) -> Flood:
    """*flood* after *signs* have been judged."""
    return flood._replace(judged={**flood.judged, **dict.fromkeys(sorted(signs), received_ms // _SECOND_MS)})


def makes_it_worse(track: Track, limits: Sequence[AlarmLimit], value: float, at_ms: int) -> bool:
    """Whether *value* lies beyond a tier that is neither in force nor pending: it is judged at once, however many come.

    Only as the newest of its sign: what is past already makes nothing worse.
    """
    if track.window and at_ms < track.window[-1].at_ms:
        return False
    for limit in limits:
        known = track.present.get(limit.limit_id)
        judged = judged_value(limit, value, at_ms, track.history)
        for index, tier in enumerate(limit.tiers):
            is_known = known is not None and (known.tier >= index or known.violated_since[index] is not None)
            if not is_known and limit.is_violated_by(judged, tier):
                return True
    return False


def loses_something(track: Track) -> bool:
    """Whether the loss of the signal would be news: something is pending or in force, and it was not lost before."""
    return bool(track.present) and track.window[-1].value is not None
