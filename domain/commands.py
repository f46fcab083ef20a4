"""What staff and the registry tell us: commands on one patient's chart."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from domain.observations import Mode


class Sex(StrEnum):
    """Administrative sex, as FHIR codes it."""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What every command carries; *issued_at* is when a person or the registry gave it."""

    command_id: UUID
    patient_id: str
    issued_at: datetime
    received_at: datetime
    correlation_id: UUID
    issued_by: str | None = None
    mode: Mode = Mode.REAL
    is_replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Admit(Command):
    """The patient lies in *bed* of *ward* from *issued_at* on."""

    ward: str
    bed: str | None = None
    birth_date: date | None = None
    sex: Sex = Sex.UNKNOWN
    has_spo2_target_88_92: bool = False  # prescribed by a clinician, never derived from a diagnosis


@dataclass(frozen=True, slots=True, kw_only=True)
class Move(Command):
    """The patient lies elsewhere from *issued_at* on."""

    ward: str
    bed: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Discharge(Command):
    """The patient has left: every open alarm ends, nothing is overdue any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeAlarm(Command):
    """A clinician says "seen" of an alarm; the condition may go on."""

    alarm_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseAlarm(Command):
    """A person ends an alarm, a latched one included."""

    alarm_id: UUID
    reason: str | None = None
