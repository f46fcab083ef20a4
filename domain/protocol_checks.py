"""What limits must not be to one another: overlapping, inverted, or with an age between them that none judges."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from domain.protocol import AlarmLimit, Condition, Measure, Side

_EITHER_OR = frozenset({Condition.SPO2_TARGET_88_92, Condition.NO_SPO2_TARGET})
_YEAR = 12


class Contradiction(NamedTuple):
    """Which of the limits is wrong, counted from 1 in the order of the file, and why."""

    number: int
    said: str


def contradiction_in(limits: Sequence[AlarmLimit]) -> Contradiction | None:
    """The first contradiction between any two of *limits*; None where there is none."""
    return next(_contradictions(limits), None)


def _contradictions(limits: Sequence[AlarmLimit]) -> Iterator[Contradiction]:
    for (_, one), (number, other) in combinations(enumerate(limits, 1), 2):
        said = _between(one, other)
        if said is not None:
            yield Contradiction(number, said)
    for number, limit in enumerate(limits, 1):
        said = _hole_below(limit, limits)
        if said is not None:
            yield Contradiction(number, said)


def _between(one: AlarmLimit, other: AlarmLimit) -> str | None:
    if one.vital_sign is not other.vital_sign or not _stand_together(one, other):
        return None
    return _overlap(one, other) or _inversion(one, other)


def _stand_together(one: AlarmLimit, other: AlarmLimit) -> bool:
    """Whether there can be a patient whom both judge."""
    ages = one.age_from < other.age_below and other.age_from < one.age_below
    return ages and not (one.conditions | other.conditions) >= _EITHER_OR


def _overlap(one: AlarmLimit, other: AlarmLimit) -> str | None:
    if (one.side, one.measure) != (other.side, other.measure):
        return None
    return (
        f"limit {other.limit_id} overlaps with {one.limit_id}: both judge the {one.side} side of {one.vital_sign} of "
        "the same patients; part them by age or condition, or make one limit with tiers of both"
    )


def _inversion(one: AlarmLimit, other: AlarmLimit) -> str | None:
    """A low limit that lies above a high one: no value would be normal."""
    if {one.measure, other.measure} != {Measure.VALUE} or one.side is other.side:
        return None
    low, high = (one, other) if one.side is Side.LOW else (other, one)
    lowest, highest = low.tiers[0], high.tiers[0]
    touches = lowest.threshold == highest.threshold and (lowest.is_inclusive or highest.is_inclusive)
    if lowest.threshold < highest.threshold or (lowest.threshold == highest.threshold and not touches):
        return None
    return (
        f"limit {low.limit_id} at {lowest.threshold:g} and {high.limit_id} at {highest.threshold:g} are inverted: "
        "no value would be normal"
    )


def _hole_below(limit: AlarmLimit, limits: Sequence[AlarmLimit]) -> str | None:
    """Ages just below *limit* that nothing judges, though younger patients are judged."""
    alike = [
        each
        for each in limits
        if (each.vital_sign, each.side, each.measure, each.conditions)
        == (limit.vital_sign, limit.side, limit.measure, limit.conditions)
    ]
    younger = [each.age_below for each in alike if each.age_from < limit.age_from]
    if not younger or max(younger) >= limit.age_from:
        return None
    return (
        f"limit {limit.limit_id} leaves a hole: nobody from {_age(max(younger))} to below {_age(limit.age_from)} "
        f"has a limit on the {limit.side} side of {limit.vital_sign}"
    )


def _age(months: int) -> str:
    return f"{months // _YEAR}y" if months % _YEAR == 0 else f"{months}mo"
