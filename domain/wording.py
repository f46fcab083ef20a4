"""What a nurse reads: one plain line for each alert, bed first."""

from dataclasses import dataclass

from domain.alarms import Alarm, Kind
from domain.alerts import Breach, Flag, Phase, Reason
from domain.protocol import Measure, Side
from domain.times import from_ms
from domain.vital_signs import DEFINITIONS, Consciousness, VitalSign

LONGEST_TITLE = 130

_UNITS = {"Cel": "°C", "mm[Hg]": "mmHg", "/min": "/min", "%": "%", "{score}": ""}
_MINUTE_MS = 60_000

_SPOKEN: dict[Reason, str] = {
    Reason.SENSOR_OFF: "{sensor} off, check the sensor",
    Reason.ALL_SIGNALS_ABSENT: "no signal on any channel, check the patient now",
    Reason.NO_BREATHING: "no breathing detected, check the patient",
    Reason.SIGNAL_OVERDUE: "no data from the monitor, check its connection",
    Reason.CLOCK_AHEAD: "the device's clock is ahead, readings are judged at the time they came",
    Reason.CLOCK_SKEW: "the device's clock is wrong by a constant amount, corrected for",
    Reason.TOO_FREQUENT: "a spot-check device sends like a monitor, check its setting",
    Reason.NOT_EVALUATED: "readings could not be judged by Vigil, check the patient",
    Reason.WARD_SILENT: "several monitors fell silent at once, check the network",
    Reason.FLOODING: "the device sends far too often, one value a second is judged, check its setting",
    Reason.DEVICE_UNUSABLE: "nothing it sends can be used, check the device and its patient",
    Reason.INPUT_PAUSED: "what monitors send cannot be used, patients are not watched, check them",
    Reason.INPUT_LOST: "readings that came {span} were lost, check the patients",
}
_CONSCIOUSNESS = {
    Consciousness.A: "alert",
    Consciousness.C: "new confusion",
    Consciousness.V: "responds to voice only",
    Consciousness.P: "responds to pain only",
    Consciousness.U: "unresponsive",
}
_SUBJECTS = {
    "all-signals-absent": "signals of all channels:",
    "no-breathing": "breathing:",
    "signal-overdue": "data of the monitor:",
    "clock-ahead": "clock alarm:",
    "clock-skew": "clock alarm:",
    "too-frequent": "spot-check device:",
    "ward-silent": "silent monitors:",
    "flooding": "device that sends too often:",
    "device-unusable": "what it sends:",
    "input-paused": "what the monitors send:",
    "input-lost": "readings lost {span}:",
    "not-evaluated": "readings that could not be judged:",
}
_ENDINGS: dict[Reason, str] = {
    Reason.CLEARED: "back inside its limit",
    Reason.OVERTAKEN: "withdrawn, a late reading corrected the picture",
    Reason.CLOSED: "closed by staff",
    Reason.DISCHARGED: "ended, patient discharged",
    Reason.SIGNAL_BACK: "signal is back",
    Reason.CLOCK_RIGHT: "the device's clock is right again",
    Reason.RHYTHM_RIGHT: "sends at its rhythm again",
    Reason.PROTOCOL_CHANGED: "ended, the rule is no longer in force",
    Reason.NOT_IN_FORCE: "ended, the limit no longer stands for this patient",
    Reason.SENSOR_OFF: "ended, the sensor is off",
    Reason.EVALUATED: "they are judged again",
    Reason.DEVICE_USABLE: "it can be used again",
    Reason.INPUT_RESUMED: "it can be used again",
    Reason.TOLD_LONG_ENOUGH: "told long enough",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What a title is made from."""

    alarm: Alarm
    phase: Phase
    reason: Reason
    breach: Breach | None
    flags: tuple[Flag, ...]
    ward: str | None
    bed: str | None
    patient_id: str | None
    observed_ms: int
    received_ms: int
    sensor: str = ""  # what staff call the sensor, where the alarm is about one


def title_of(occasion: Occasion) -> str:
    """The alert in one line of at most 130 characters: where, what, how bad, how old; no name."""
    parts = [f"{_place(occasion)}: {_matter(occasion)}", *_cautions(occasion)]
    return ", ".join(parts)[:LONGEST_TITLE]


def quantity(sign: VitalSign, value: float) -> str:
    """*value* as a person writes it: `38.4 °C`, `84 %`, `new confusion`."""
    if sign is VitalSign.CONSCIOUSNESS:
        return _CONSCIOUSNESS[Consciousness(int(value))]
    unit = DEFINITIONS[sign].unit
    return f"{value:g} {_UNITS.get(unit, unit)}".rstrip()


def _place(occasion: Occasion) -> str:
    if occasion.patient_id is None:
        if occasion.ward is not None:
            return f"Ward {occasion.ward}"
        device_id = occasion.alarm.device_id
        return "Patients on no ward" if device_id is None else f"Device {device_id}"
    tail = occasion.patient_id[-4:]
    if occasion.bed is None:
        return f"Patient …{tail}"
    return f"Bed {occasion.bed} (…{tail})"


def _matter(occasion: Occasion) -> str:
    if occasion.phase in (Phase.END, Phase.RESET):
        return f"{_subject(occasion)} {_ENDINGS.get(occasion.reason, 'ended')}"
    if occasion.reason is Reason.MOVED:
        return f"{_subject(occasion)} alarm moved with the patient"
    if occasion.reason in (Reason.ACKNOWLEDGED, Reason.CLEARED):
        word = "seen by staff" if occasion.reason is Reason.ACKNOWLEDGED else "over, waiting to be let go"
        return f"{_subject(occasion)} alarm {word}"
    if occasion.reason in _SPOKEN:
        return _SPOKEN[occasion.reason].format(sensor=occasion.sensor, span=_span(occasion.alarm))
    if occasion.reason is Reason.PRIORITY_FELL:
        return f"{_measured(occasion)}, now {occasion.alarm.priority.word} priority"
    return _violation(occasion)


def _subject(occasion: Occasion) -> str:
    alarm = occasion.alarm
    if alarm.vital_sign is not None:
        return DEFINITIONS[alarm.vital_sign].display
    rule = alarm.rule_id.split("/", 1)[0]
    if rule == "sensor-off":
        return f"{occasion.sensor} off:"
    return _SUBJECTS.get(rule, rule.replace("-", " ")).format(span=_span(alarm))


def _span(alarm: Alarm) -> str:
    """From when until when, for an alarm about a stretch of time."""
    first, last = from_ms(alarm.onset_ms), from_ms(alarm.started_ms)
    if first.date() == last.date():
        return f"from {first:%H:%M} to {last:%H:%M} UTC"
    return f"from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"


def _measured(occasion: Occasion) -> str:
    alarm = occasion.alarm
    if alarm.vital_sign is None or alarm.value is None:
        return _subject(occasion)
    return f"{DEFINITIONS[alarm.vital_sign].display} {quantity(alarm.vital_sign, alarm.value)}"


def _violation(occasion: Occasion) -> str:
    alarm, breach = occasion.alarm, occasion.breach
    said = _measured(occasion)
    if breach is None or alarm.vital_sign is None or alarm.vital_sign is VitalSign.CONSCIOUSNESS:
        return said
    return f"{said}, limit {_limit(alarm.vital_sign, breach)}"


def _limit(sign: VitalSign, breach: Breach) -> str:
    if breach.measure == Measure.FALL:
        return f"a fall of {breach.threshold:g}"
    word = "below" if breach.side == Side.LOW else "above"
    return f"{word} {quantity(sign, breach.threshold)}"


def _cautions(occasion: Occasion) -> list[str]:
    cautions = []
    late_min = (occasion.received_ms - occasion.observed_ms) // _MINUTE_MS
    if Flag.LATE in occasion.flags:
        cautions.append(f"observed {late_min} min ago")
    if occasion.reason is Reason.LATE_FINDING:
        cautions.append("newer values are known")
    if Flag.SIGNAL_LOST in occasion.flags:
        cautions.append("then the signal was lost")
    if Flag.SUSPECT in occasion.flags and occasion.alarm.kind is Kind.PHYSIOLOGICAL:
        cautions.append("value suspect")
    if Flag.QUESTIONABLE in occasion.flags:
        cautions.append("quality questionable")
    if Flag.CONFLICT in occasion.flags:
        cautions.append("devices disagree")
    if Flag.CLOCK_CORRECTED in occasion.flags:
        cautions.append("time corrected for the device's clock")
    return cautions
