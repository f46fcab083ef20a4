"""The caution level of a single value, 0 (normal) to 4, as registries' range tables give it: what our limits are checked by."""

from domain.alarms import Priority
from domain.protocol import AlarmLimit, Measure, Protocol, Side
from domain.vital_signs import VitalSign, rounded

_LEVELS = {Priority.LOW: 2, Priority.MEDIUM: 3, Priority.HIGH: 4}


def caution_level(protocol: Protocol, sign: VitalSign, value: float, *, age_months: int = 30 * 12) -> int:
    """The highest level that any limit on *sign* gives to *value* at this age.

    Of a pair of pressures the higher of the two single levels counts.
    """
    judged = rounded(sign, value)
    return max(
        (
            _level(limit, judged)
            for limit in protocol.limits_of.get(sign, ())
            if limit.measure is Measure.VALUE and limit.age_from <= age_months < limit.age_below
        ),
        default=0,
    )


def _level(limit: AlarmLimit, value: float) -> int:
    violated = [tier.priority for tier in limit.tiers if limit.is_violated_by(value, tier)]
    if violated:
        return _LEVELS[max(violated)]
    if limit.level_one is None:
        return 0
    is_beyond = value >= limit.level_one if limit.side is Side.HIGH else value <= limit.level_one
    return int(is_beyond)
