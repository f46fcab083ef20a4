"""What equipment and staff tell us of a patient: readings, in observation sets."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import isfinite
from uuid import UUID

from domain.vital_signs import VitalSign


class Mode(StrEnum):
    """Whose data this is; only real data ever pages."""

    REAL = "real"
    TEST = "test"
    DEMO = "demo"


class Acquisition(StrEnum):
    """How a set came to be."""

    CONTINUOUS = "continuous"  # a monitor streaming: on-delays apply
    SPOT_CHECK = "spot_check"  # a nurse's round: no delay


class Validity(StrEnum):
    """What the device says of a reading's quality (BICEPS MeasurementValidity, in part)."""

    VALID = "valid"
    QUESTIONABLE = "questionable"  # judged, and said so on the page
    CALIBRATING = "calibrating"
    INVALID = "invalid"  # never raises a physiological alarm
    ABSENT = "absent"  # there is no value: probe off, lead off, zero or sentinel

    @property
    def is_usable(self) -> bool:
        """Whether a value of this validity may be judged against a limit."""
        return self in _USABLE


_USABLE = frozenset({Validity.VALID, Validity.QUESTIONABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One value of one vital sign, in its canonical unit, observed on one patient at one instant.

    *value* is None or what the device sent (0, a sentinel) where *validity* is absent. The reading id is
    made of the reading's content, so the same reading always bears the same id.
    """

    reading_id: UUID
    vital_sign: VitalSign
    value: float | None
    validity: Validity = Validity.VALID
    site: str | None = None  # oral, cuff, arterial …
    device: str | None = None  # of oxygen therapy: nasal_cannula, mask …

    def __post_init__(self) -> None:
        """Refuse what cannot be a value. Raises ValueError."""
        if self.value is not None and not isfinite(self.value):
            raise ValueError("value must be a finite number")
        if self.value is None and self.validity.is_usable:
            raise ValueError("a usable reading must have a value")


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservationSet:
    """The readings one device took of one patient at one instant; one message.

    *received_at* is the log's time of the record, or, where *is_replayed*, the time carried in its header.
    """

    message_id: str
    patient_id: str
    device_id: str
    observed_at: datetime
    received_at: datetime
    readings: tuple[Reading, ...]
    correlation_id: UUID
    acquisition: Acquisition = Acquisition.SPOT_CHECK
    mode: Mode = Mode.REAL
    is_replayed: bool = False

    def __post_init__(self) -> None:
        """Refuse naive times. Raises ValueError."""
        if self.observed_at.tzinfo is None or self.received_at.tzinfo is None:
            raise ValueError("observed_at and received_at must carry a time zone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """The clock reaching *at* for a chart, with no new reading."""

    at: datetime
