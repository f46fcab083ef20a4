"""Which limits of the protocol stand for this patient now: conditions of the chart and exact age."""

from datetime import datetime

from domain.chart import Admission
from domain.draft import Draft
from domain.protocol import Circumstances, InForce
from domain.times import from_ms
from domain.vital_signs import VitalSign

_ADULT = 30 * 12


def limits_in_force(draft: Draft, sign: VitalSign, at_ms: int) -> InForce:
    """The limits that judge *sign* of this patient at *at_ms*."""
    protocol = draft.protocol
    if sign not in protocol.conditional:
        return protocol.everybodys[sign]
    admission = draft.admission
    age = age_in_months(admission, from_ms(at_ms)) if sign in protocol.by_age else 0
    has_target = admission is not None and admission.has_spo2_target_88_92
    return protocol.in_force(sign, Circumstances(age, _is_on_oxygen(draft), has_target))


def age_in_months(admission: Admission | None, at: datetime) -> int:
    """The exact age at *at* in completed months; an unknown one counts as adult on this adult ward."""
    born = admission.birth_date if admission else None
    if born is None:
        return _ADULT
    today = at.date()
    months = 12 * (today.year - born.year) + today.month - born.month
    return max(months - (today.day < born.day), 0)


def _is_on_oxygen(draft: Draft) -> bool:
    track = draft.tracks.get(VitalSign.OXYGEN_THERAPY)
    if track is None or not track.window:
        return False
    flow = track.window[-1].value
    return flow is not None and flow > 0
