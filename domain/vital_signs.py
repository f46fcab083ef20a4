"""The vital signs: what each is called, measured in, coded as, and which values cannot be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from enum import IntEnum, StrEnum
from math import isfinite


class VitalSign(StrEnum):
    """Which quantity a reading is of; the value is the name on the wire and in the database."""

    HEART_RATE = "heart_rate"  # from the ECG
    PULSE = "pulse"  # from the oximeter, the cuff or a finger: NEWS2 wants this one
    RESPIRATORY_RATE = "respiratory_rate"
    SPO2 = "spo2"
    BODY_TEMPERATURE = "body_temperature"
    SYSTOLIC_PRESSURE = "systolic_pressure"
    DIASTOLIC_PRESSURE = "diastolic_pressure"
    MEAN_PRESSURE = "mean_pressure"
    CONSCIOUSNESS = "consciousness"  # ACVPU
    OXYGEN_THERAPY = "oxygen_therapy"  # flow; 0 is air
    GCS = "gcs"  # Glasgow coma scale, total
    BODY_WEIGHT = "body_weight"  # stored only
    BODY_HEIGHT = "body_height"  # stored only

    __hash__ = str.__hash__  # Enum's own is written in Python, and signs are the keys of the hot path


class Consciousness(IntEnum):
    """ACVPU in order of depth, so that a limit can stand on it (RCP 2017, NEWS2 Chart 1)."""

    A = 0  # alert
    C = 1  # new confusion
    V = 2  # responds to voice
    P = 3  # responds to pain
    U = 4  # unresponsive


class UnitNotAcceptedError(ValueError):
    """The declared unit is not one this vital sign is measured in; units are never guessed."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A declared unit: canonical = (reported - *offset*) * *factor*."""

    factor: Decimal = Decimal(1)
    offset: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What is fixed about one vital sign.

    A value below *lowest* or above *highest* is impossible and refused; outside *suspect_low* to
    *suspect_high* it is kept and marked. Source of the numbers: plausibility table in domain/README.md.
    """

    loinc: str
    unit: str  # UCUM, canonical
    display: str
    resolution: Decimal  # a value is rounded half up to this before it is judged
    lowest: float
    highest: float
    suspect_low: float | None = None
    suspect_high: float | None = None
    units: Mapping[str, Unit] = field(default_factory=dict)
    zero_is_absent: bool = False  # a monitor writes 0 for "no value"
    whole: bool = False  # only whole numbers exist
    stored_only: bool = False  # never judged


_ONE = Unit()
_KPA = Unit(factor=Decimal("7.50062"))
_FAHRENHEIT = Unit(factor=Decimal(5) / Decimal(9), offset=Decimal(32))
_MMHG = {"mm[Hg]": _ONE, "266016": _ONE, "kPa": _KPA}
_INTEGER = Decimal(1)
_TENTH = Decimal("0.1")

DEFINITIONS: Mapping[VitalSign, Definition] = {
    VitalSign.HEART_RATE: Definition(
        loinc="8867-4",
        unit="/min",
        display="heart rate",
        resolution=_INTEGER,
        lowest=0.1,
        highest=299.9,
        suspect_low=30,
        suspect_high=220,
        units={"/min": _ONE, "{beats}/min": _ONE, "264864": _ONE},
        zero_is_absent=True,
    ),
    VitalSign.PULSE: Definition(
        loinc="8889-8",
        unit="/min",
        display="pulse",
        resolution=_INTEGER,
        lowest=0.1,
        highest=299.9,
        suspect_low=30,
        suspect_high=220,
        units={"/min": _ONE, "{beats}/min": _ONE, "264864": _ONE},
        zero_is_absent=True,
    ),
    VitalSign.RESPIRATORY_RATE: Definition(
        loinc="9279-1",
        unit="/min",
        display="respiratory rate",
        resolution=_INTEGER,
        lowest=0.1,
        highest=80,
        suspect_low=5,
        suspect_high=50,
        units={"/min": _ONE, "{breaths}/min": _ONE, "264928": _ONE},
        zero_is_absent=True,
    ),
    VitalSign.SPO2: Definition(
        loinc="59408-5",
        unit="%",
        display="SpO2",
        resolution=_INTEGER,
        lowest=1,
        highest=100,
        suspect_low=70,
        units={"%": _ONE, "1": Unit(factor=Decimal(100)), "262688": _ONE},
        zero_is_absent=True,
    ),
    VitalSign.BODY_TEMPERATURE: Definition(
        loinc="8310-5",
        unit="Cel",
        display="temperature",
        resolution=_TENTH,
        lowest=25,
        highest=45,
        suspect_low=34,
        suspect_high=41.5,
        units={"Cel": _ONE, "268192": _ONE, "[degF]": _FAHRENHEIT, "268160": _FAHRENHEIT},
        zero_is_absent=True,
    ),
    VitalSign.SYSTOLIC_PRESSURE: Definition(
        loinc="8480-6",
        unit="mm[Hg]",
        display="systolic pressure",
        resolution=_INTEGER,
        lowest=20.1,
        highest=299.9,
        suspect_low=50,
        suspect_high=250,
        units=_MMHG,
        zero_is_absent=True,
    ),
    VitalSign.DIASTOLIC_PRESSURE: Definition(
        loinc="8462-4",
        unit="mm[Hg]",
        display="diastolic pressure",
        resolution=_INTEGER,
        lowest=10.1,
        highest=199.9,
        suspect_low=25,
        suspect_high=140,
        units=_MMHG,
        zero_is_absent=True,
    ),
    VitalSign.MEAN_PRESSURE: Definition(
        loinc="8478-0",
        unit="mm[Hg]",
        display="mean pressure",
        resolution=_INTEGER,
        lowest=10.1,
        highest=249.9,
        suspect_low=35,
        suspect_high=180,
        units=_MMHG,
        zero_is_absent=True,
    ),
    VitalSign.CONSCIOUSNESS: Definition(
        loinc="80288-4",
        unit="{ACVPU}",
        display="consciousness",
        resolution=_INTEGER,
        lowest=0,
        highest=4,
        units={"{ACVPU}": _ONE},
        whole=True,
    ),
    VitalSign.OXYGEN_THERAPY: Definition(
        loinc="3151-8",
        unit="L/min",
        display="oxygen flow",
        resolution=_TENTH,
        lowest=0,
        highest=100,
        units={"L/min": _ONE},
    ),
    VitalSign.GCS: Definition(
        loinc="9269-2",
        unit="{score}",
        display="Glasgow coma scale",
        resolution=_INTEGER,
        lowest=3,
        highest=15,
        units={"{score}": _ONE},
        whole=True,
    ),
    VitalSign.BODY_WEIGHT: Definition(
        loinc="29463-7",
        unit="kg",
        display="weight",
        resolution=_TENTH,
        lowest=0.2,
        highest=500,
        units={"kg": _ONE, "g": Unit(factor=Decimal("0.001")), "[lb_av]": Unit(factor=Decimal("0.45359237"))},
        zero_is_absent=True,
        stored_only=True,
    ),
    VitalSign.BODY_HEIGHT: Definition(
        loinc="8302-2",
        unit="cm",
        display="height",
        resolution=_TENTH,
        lowest=20,
        highest=260,
        units={"cm": _ONE, "m": Unit(factor=Decimal(100)), "[in_i]": Unit(factor=Decimal("2.54"))},
        zero_is_absent=True,
        stored_only=True,
    ),
}

NO_VALUE = 8388607.0
"""0x7FFFFF, which ISO/IEEE 11073 devices send for "no value"."""


def in_canonical_unit(sign: VitalSign, value: float, unit: str) -> float:
    """*value*, declared in *unit*, in the sign's canonical unit.

    A value that is already in it comes back as it is; a converted one is rounded half up to 0.1.
    Raises UnitNotAcceptedError for any unit this sign is not measured in.
    """
    definition = DEFINITIONS[sign]
    conversion = definition.units.get(unit)
    if conversion is None:
        raise UnitNotAcceptedError(f"{sign} is measured in {', '.join(definition.units)}")
    if conversion is _ONE or not isfinite(value) or value == NO_VALUE:
        return value
    converted = (Decimal(repr(value)) - conversion.offset) * conversion.factor
    return float(converted.quantize(_TENTH, ROUND_HALF_UP))


def rounded(sign: VitalSign, value: float) -> float:
    """*value* rounded half up, once, to the resolution at which *sign* is judged."""
    resolution = DEFINITIONS[sign].resolution
    if value == (int(value) if resolution is _INTEGER else round(value, 1)):
        return value
    return float(Decimal(repr(value)).quantize(resolution, ROUND_HALF_UP))


def is_absent(sign: VitalSign, value: float) -> bool:
    """Whether *value* is a device's way of saying that it has none: its zero, or the 11073 sentinel."""
    return value == NO_VALUE or (value == 0 and DEFINITIONS[sign].zero_is_absent)


def is_possible(sign: VitalSign, value: float) -> bool:
    """Whether a living patient could have *value*; both ends of the range are possible."""
    definition = DEFINITIONS[sign]
    return definition.lowest <= value <= definition.highest and not (definition.whole and value != int(value))


def is_suspect(sign: VitalSign, value: float) -> bool:
    """Whether *value* is possible but so unusual that the page must say so; it never lowers an alarm."""
    low, high = DEFINITIONS[sign].suspect_low, DEFINITIONS[sign].suspect_high
    return (low is not None and value < low) or (high is not None and value > high)
