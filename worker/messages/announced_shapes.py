"""The shapes of what Vigil announces: for the published schemas and for the tests of the encoders."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from domain.alarms import AlarmState, Kind
from domain.alerts import Flag, Phase, Reason
from domain.observations import Mode
from domain.vital_signs import VitalSign
from worker.messages.refusals import RefusalReason

OUTGOING = ConfigDict(extra="forbid", allow_inf_nan=False)
"""Nothing leaves that is not published."""

PriorityWord = Literal["low", "medium", "high"]
Action = Literal["trigger", "acknowledge", "resolve", "inform"]


class LocationV1(BaseModel):
    """Where the patient lies; a patient who was not admitted lies nowhere."""

    model_config = OUTGOING

    ward: str | None
    bed: str | None


class VitalV1(BaseModel):
    """Which vital sign, in its canonical unit."""

    model_config = OUTGOING

    name: VitalSign
    code: str = Field(description="LOINC")
    display: str
    unit: str = Field(description="UCUM")


class LimitV1(BaseModel):
    """The limit that was judged."""

    model_config = OUTGOING

    side: Literal["low", "high"]
    measure: Literal["value", "fall"] = Field(
        description="`fall`: how far the value lies below an earlier one."
    )
    threshold: float | str = Field(description="For consciousness its letter.")
    inclusive: bool = Field(description="Whether the threshold itself is beyond the limit.")
    layer: str
    source: str


class RuleV1(BaseModel):
    """By which rule of which protocol."""

    model_config = OUTGOING

    id: str
    protocol: str
    version: str
    hash: str


class _AboutAnAlarmV1(BaseModel):
    model_config = OUTGOING

    schema_version: Literal[1]
    alarm_id: UUID = Field(description="The same for every episode of this patient and rule.")
    episode_id: UUID = Field(description="This time, from start to end.")
    chart_seq: int = Field(description="Number of the input, within the patient's chart, that led to this.")
    kind: Kind
    state: AlarmState
    priority: PriorityWord
    mode: Mode
    patient_id: str | None = Field(description="null: this is about a ward.")
    birth_year: int | None
    location: LocationV1
    vital: VitalV1 | None
    value: float | str | None = Field(
        description="In the vital sign's unit; for consciousness A, C, V, P or U."
    )
    limit: LimitV1 | None
    rule: RuleV1
    device_id: str | None
    site: str | None
    flags: list[Flag]
    observed_at: datetime
    onset_at: datetime
    title: Annotated[str, StringConstraints(max_length=130)]


class AlertV1(_AboutAnAlarmV1):
    """An immutable fact about an alarm: what pagers read."""

    alert_id: UUID
    dedup_key: UUID = Field(description="The episode: what a pager keeps apart incidents by.")
    action: Action
    phase: Phase
    reason: Reason
    previous_priority: PriorityWord | None
    evidence: list[UUID] = Field(description="Ids of the readings that led to it, newest last.")
    received_at: datetime
    determined_at: datetime
    ended_at: datetime | None
    late_s: float = Field(ge=0, description="Seconds between observation and arrival.")
    correlation_id: UUID | None


class AlarmStateV1(_AboutAnAlarmV1):
    """The present state of an alarm that is not over; the record without a value says that it is over."""

    updated_at: datetime


class ErrorV1(BaseModel):
    """Where something was wrong and what, by its code; never what was there."""

    model_config = OUTGOING

    loc: str
    code: str


class ProblemV1(BaseModel):
    """Why a record was given up on (RFC 9457); stands in the header `dlq-problem`."""

    model_config = OUTGOING

    type: str
    title: str
    status: int
    detail: str
    instance: str = Field(description="The record: its topic, partition and offset.")
    reason: RefusalReason
    position: int = Field(ge=0, description="Which reading of the set, from 1; 0 for the whole record.")
    errors: list[ErrorV1]


class WardPatientsV1(BaseModel):
    """How many of a ward's patients in this lane are watched how."""

    model_config = OUTGOING

    ward: str
    mode: Mode
    watched: int = Field(ge=0)
    partly: int = Field(ge=0, description="Something of what their devices deliver is not judged.")
    not_watched: int = Field(ge=0, description="Nothing new about them is judged: look at them.")


class HeartbeatV1(BaseModel):
    """One lane's sign of life: a pager that misses it must say so."""

    model_config = OUTGOING

    schema_version: Literal[1]
    lane: int = Field(ge=0)
    published_seq: int = Field(ge=0, description="The number of the lane's last record that is out.")
    last_seq: int = Field(ge=0, description="The number of the lane's last record.")
    instance: str
    protocol_hash: str
    degraded: bool
    lag_seconds: float | None = Field(description="How far intake is behind; null if it is not known.")
    at: datetime
    patients: list[WardPatientsV1] | None = Field(
        default=None, description="Admitted patients of the lane, by ward; null if that is not known."
    )
