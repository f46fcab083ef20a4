"""What devices make of a patient's vitals: which signs they show, how finely, under which unit and site."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from random import Random

from domain.vital_signs import VitalSign
from worker.feed.records import Value
from worker.simulation.physiology import Vitals

PRESSURES = (VitalSign.SYSTOLIC_PRESSURE, VitalSign.DIASTOLIC_PRESSURE, VitalSign.MEAN_PRESSURE)
_UNITS: Mapping[VitalSign, str] = {
    VitalSign.HEART_RATE: "/min",
    VitalSign.PULSE: "/min",
    VitalSign.RESPIRATORY_RATE: "/min",
    VitalSign.SPO2: "%",
} | dict.fromkeys(PRESSURES, "mm[Hg]")
_WHOLE = Decimal(1)
_TENTH = Decimal("0.1")


def streamed(vitals: Vitals, chance: Random) -> dict[VitalSign, float]:
    """What the leads and the oximeter of a monitor measure, not yet rounded; the two rates differ a little."""
    return {
        VitalSign.HEART_RATE: vitals.heart_rate,
        VitalSign.PULSE: vitals.heart_rate + chance.gauss(0, 0.7),
        VitalSign.RESPIRATORY_RATE: vitals.respiratory_rate,
        VitalSign.SPO2: vitals.spo2,
    }


def pressures(vitals: Vitals) -> dict[VitalSign, float]:
    """What a cuff or an arterial line measures, not yet rounded."""
    return dict(zip(PRESSURES, (vitals.systolic, vitals.diastolic, vitals.mean_pressure), strict=True))


def shown(values: Mapping[VitalSign, float], site: str | None = None) -> list[Value]:
    """*values* in whole numbers, as a monitor shows them."""
    return [
        Value(vital_sign=sign, value=_quantised(value, _WHOLE), unit=_UNITS[sign], site=site)
        for sign, value in values.items()
    ]


def spot_check(vitals: Vitals, *, in_fahrenheit: bool) -> Sequence[Value]:
    """What a nurse notes on a round: rates, saturation, cuff pressure, temperature, consciousness, oxygen."""
    measured = {
        VitalSign.PULSE: vitals.heart_rate,
        VitalSign.RESPIRATORY_RATE: vitals.respiratory_rate,
        VitalSign.SPO2: vitals.spo2,
    }
    return [
        *shown(measured),
        *shown(pressures(vitals), site="cuff"),
        _temperature(vitals.temperature, in_fahrenheit=in_fahrenheit),
        Value(vital_sign=VitalSign.CONSCIOUSNESS, value=vitals.consciousness.name),
        _oxygen(vitals.oxygen_flow),
    ]


def _temperature(celsius: float, *, in_fahrenheit: bool) -> Value:
    if in_fahrenheit:
        degrees, unit, site = _quantised(celsius * 9 / 5 + 32, _TENTH), "[degF]", "tympanic"
    else:
        degrees, unit, site = _quantised(celsius, _TENTH), "Cel", "oral"
    return Value(vital_sign=VitalSign.BODY_TEMPERATURE, value=degrees, unit=unit, site=site)


def _oxygen(flow: float) -> Value:
    if flow == 0:
        return Value(vital_sign=VitalSign.OXYGEN_THERAPY, value="air")
    return Value(vital_sign=VitalSign.OXYGEN_THERAPY, value=flow, unit="L/min", device="nasal_cannula")


def _quantised(value: float, resolution: Decimal) -> float:
    return float(Decimal(repr(value)).quantize(resolution, ROUND_HALF_UP))
