"""What the cells of `vigil watch` say: one alarm in the words of a nurse, made safe for a terminal."""

from datetime import datetime, tzinfo

from domain.alarms import AlarmState
from domain.vital_signs import Consciousness, VitalSign
from domain.wording import quantity
from worker.messages.announced_shapes import AlarmStateV1, AlertV1
from worker.watch_ward import Ended

Told = AlarmStateV1 | AlertV1

_SIDES = {"low": "below", "high": "above"}
_BEYOND = {"low": "less", "high": "more"}
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def plain(text: str) -> str:
    """Return *text* without control characters: what a producer sent must not steer a terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)


def bed_of(told: Told) -> str:
    """Say where: ward and bed."""
    return " ".join(part for part in (told.location.ward, told.location.bed) if part) or "-"


def patient_of(told: Told) -> str:
    """Say who: the last four characters, as on the alerts."""
    return "-" if told.patient_id is None else f"…{told.patient_id[-4:]}"


def matter_of(told: Told) -> str:
    """Say what it is about: a vital sign and its side, or the title's own words without the place."""
    if told.vital is not None and told.vital.name is VitalSign.CONSCIOUSNESS:
        return ", ".join([told.vital.display, *_cautions(told)])
    if told.vital is not None and told.limit is not None:
        word = f"{told.vital.display} {'fell' if _is_fall(told) else told.limit.side}"
        return ", ".join([word, *_cautions(told)])
    return told.title.partition(": ")[2] or told.title


def matter_and_state_of(told: Told) -> str:
    """Say what it is about, and how it stands where that is other than active."""
    return matter_of(told) if told.state is AlarmState.ACTIVE else f"{matter_of(told)} ({told.state})"


def value_of(told: Told) -> str:
    """Say the value, with its unit."""
    return "" if told.vital is None or told.value is None else _spoken(told.vital.name, told.value)


def limit_of(told: Told) -> str:
    """Say the limit: `below 85 %`."""
    if told.vital is None or told.limit is None:
        return ""
    threshold = _spoken(told.vital.name, told.limit.threshold)
    if _is_fall(told):
        return f"a fall of {threshold}"
    if told.limit.inclusive:
        return f"{threshold} or {_BEYOND[told.limit.side]}"
    return f"{_SIDES[told.limit.side]} {threshold}"


def how(over: Ended) -> str:
    """Say why an alarm ended."""
    return "over" if over.reason is None else over.reason.replace("_", " ")


def moment(at: datetime, now: datetime, zone: tzinfo | None) -> str:
    """Say when, as the reader's clock would: with the date where it is not today."""
    there, today = at.astimezone(zone), now.astimezone(zone).date()
    return f"{there:%H:%M:%S}" if there.date() == today else f"{there:%Y-%m-%d %H:%M}"


def age(at: datetime, now: datetime) -> str:
    """Say how long ago, in one unit."""
    seconds = max(0.0, (now - at).total_seconds())
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min"
    return f"{seconds // _HOUR:.0f} h" if seconds < _DAY else f"{seconds // _DAY:.0f} d"


def _cautions(told: Told) -> list[str]:
    return [flag.replace("_", " ") for flag in told.flags]


def _is_fall(told: Told) -> bool:
    """Whether the limit is one on a change, whose threshold is a difference."""
    return told.limit is not None and told.limit.measure == "fall"


def _spoken(sign: VitalSign, value: float | str) -> str:
    number = float(Consciousness[value]) if isinstance(value, str) else value
    return quantity(sign, number)
