"""The shapes of the commands that come in."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, RootModel, StringConstraints

from domain.commands import Sex
from domain.observations import Mode
from worker.messages.shapes import INCOMING, Id, Instant, Word

_DATE_PATTERN = r"^(18[5-9][0-9]|19[0-9]{2}|2[0-2][0-9]{2})-[0-9]{2}-[0-9]{2}$"

Date = Annotated[str, StringConstraints(pattern=_DATE_PATTERN), Field(json_schema_extra={"format": "date"})]


class _CommandV1(BaseModel):
    model_config = INCOMING

    schema_version: Literal[1]
    command_id: UUID = Field(description="Repeated where the same command is sent again.")
    patient_id: Id
    issued_at: Instant = Field(description="When a person or the registry gave the command.")
    issued_by: Word | None = None
    mode: Mode = Mode.REAL


class AdmitV1(_CommandV1):
    """The patient lies in this bed of this ward from *issued_at* on."""

    command: Literal["admit"]
    ward: Id
    bed: Word | None = None
    birth_date: Date | None = None
    sex: Sex = Sex.UNKNOWN
    spo2_target_88_92: bool = Field(default=False, description="Prescribed by a clinician, never derived.")


class MoveV1(_CommandV1):
    """The patient lies elsewhere from *issued_at* on."""

    command: Literal["move"]
    ward: Id
    bed: Word | None = None


class DischargeV1(_CommandV1):
    """The patient has left."""

    command: Literal["discharge"]


class AcknowledgeAlarmV1(_CommandV1):
    """A clinician has seen the alarm; its condition may go on."""

    command: Literal["acknowledge_alarm"]
    alarm_id: UUID


class CloseAlarmV1(_CommandV1):
    """A person ends the alarm, a latched one included."""

    command: Literal["close_alarm"]
    alarm_id: UUID
    reason: (
        Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")] | None
    ) = None


AnyCommandV1 = AdmitV1 | MoveV1 | DischargeV1 | AcknowledgeAlarmV1 | CloseAlarmV1


class CommandV1(RootModel[Annotated[AnyCommandV1, Field(discriminator="command")]]):
    """What staff or the registry tell of one patient."""
