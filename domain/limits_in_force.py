"""Which limits of the protocol stand for this patient now: conditions of the chart and exact age."""

from collections.abc import Sequence
from datetime import datetime

from domain.chart import Admission
from domain.draft import Draft
from domain.protocol import AlarmLimit, Condition
from domain.times import from_ms
from domain.vital_signs import VitalSign

_ADULT = 30 * 12


def limits_in_force(draft: Draft, sign: VitalSign, at_ms: int) -> Sequence[AlarmLimit]:
    """The limits that judge *sign* of this patient at *at_ms*."""
    limits = draft.protocol.limits_of.get(sign, ())
    if sign not in draft.protocol.conditional:
        return limits
    age = age_in_months(draft.admission, from_ms(at_ms))
    return [
        limit
        for limit in limits
        if limit.age_from <= age < limit.age_below and _conditions_hold(draft, limit)
    ]


def age_in_months(admission: Admission | None, at: datetime) -> int:
    """The exact age at *at* in completed months; an unknown one counts as adult on this adult ward."""
    born = admission.birth_date if admission else None
    if born is None:
        return _ADULT
    today = at.date()
    months = 12 * (today.year - born.year) + today.month - born.month
    return max(months - (today.day < born.day), 0)


def _conditions_hold(draft: Draft, limit: AlarmLimit) -> bool:
    return all(_holds(draft, condition) for condition in limit.conditions)


def _holds(draft: Draft, condition: Condition) -> bool:
    if condition is Condition.ON_OXYGEN:
        return _is_on_oxygen(draft)
    has_target = draft.admission is not None and draft.admission.has_spo2_target_88_92
    return has_target is (condition is Condition.SPO2_TARGET_88_92)


def _is_on_oxygen(draft: Draft) -> bool:
    track = draft.tracks.get(VitalSign.OXYGEN_THERAPY)
    if track is None or not track.window:
        return False
    flow = track.window[-1].value
    return flow is not None and flow > 0
