"""The shapes of the messages that come in: what is checked before a single word is believed."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, WrapValidator
from pydantic_core import ErrorDetails

from domain.observations import Acquisition, Mode, Validity
from domain.vital_signs import DEFINITIONS, VitalSign
from worker.messages.instants import RFC_3339_PATTERN, WIRE_PATTERN

MOST_READINGS = 64

# Ids go into keys, columns and logs: no control characters, no blank at either end ("P-1 " is not a second
# patient). Lone surrogates are refused by the JSON parser.
_ID_PATTERN = r"^[^\x00-\x20\x7f]([^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?$"
_WORD_PATTERN = r"^[^\x00-\x1f\x7f]*$"

Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_ID_PATTERN)]
LongId = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=_ID_PATTERN)]
Word = Annotated[str, StringConstraints(max_length=64, pattern=_WORD_PATTERN)]
Instant = Annotated[
    str,
    StringConstraints(max_length=40, pattern=WIRE_PATTERN),
    Field(json_schema_extra={"format": "date-time", "pattern": RFC_3339_PATTERN}),
]

INCOMING = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)
"""Unknown fields are ignored, so that a producer may be newer than we are; types are never bent."""

_UNITS = "; ".join(f"{sign}: {', '.join(DEFINITIONS[sign].units)}" for sign in VitalSign)


_EXAMPLE: dict[str, Any] = {
    "schema_version": 1,
    "message_id": "019ab0c2-7f60-7cc1-9a53-2f4bb0c1d7e5",
    "patient_id": "P-0042",
    "device_id": "mon-7b-12",
    "observed_at": "2026-11-23T10:15:00Z",
    "acquisition": "continuous",
    "mode": "test",
    "readings": [
        {"vital_sign": "heart_rate", "value": 112, "unit": "/min"},
        {"vital_sign": "body_temperature", "value": 101.1, "unit": "[degF]", "site": "oral"},
        {"vital_sign": "consciousness", "value": "A"},
    ],
}


class ReadingV1(BaseModel):
    """One value of one vital sign."""

    model_config = INCOMING

    vital_sign: VitalSign
    value: float | Word | None = Field(
        default=None,
        description="A number with its unit; for consciousness A, C, V, P or U; for oxygen therapy the flow or the "
        "word air. null says that the device has no value, as do 0 from a monitor and 8388607.",
    )
    unit: Word | None = Field(
        default=None, description=f"A UCUM code, or the code of ISO/IEEE 11073; never guessed. {_UNITS}."
    )
    validity: Validity | None = Field(
        default=None, description="What the device says of the value; valid if left out."
    )
    site: Word | None = Field(default=None, description="oral, cuff, arterial ...")
    device: Word | None = Field(default=None, description="Of oxygen therapy: nasal_cannula, mask ...")


class _EnvelopeV1(BaseModel):
    model_config = INCOMING

    schema_version: Literal[1]
    message_id: LongId
    patient_id: Id
    device_id: Id
    observed_at: Instant
    acquisition: Acquisition = Acquisition.SPOT_CHECK
    mode: Mode = Field(default=Mode.REAL, description="Only real data ever pages; a missing mode is real.")


class ObservationSetV1(_EnvelopeV1):
    """One device, one patient, one instant, one or more values."""

    model_config = INCOMING | ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    readings: list[ReadingV1] = Field(min_length=1, max_length=MOST_READINGS)


class BadReading:
    """Takes the place of a reading that does not have the shape."""

    __slots__ = ("errors",)

    def __init__(self, errors: list[ErrorDetails]) -> None:
        """Keep what was wrong."""
        self.errors = errors


def _or_its_errors(value: Any, validate: Any) -> Any:  # noqa: ANN401 (pydantic hands over anything)
    try:
        return validate(value)
    except ValidationError as error:
        return BadReading(errors_of(error))


class TolerantSetV1(_EnvelopeV1):
    """The same set, where a bad reading does not cost the others."""

    readings: list[Annotated[ReadingV1, WrapValidator(_or_its_errors)]] = Field(
        min_length=1, max_length=MOST_READINGS
    )


def errors_of(error: ValidationError) -> list[ErrorDetails]:
    """Return what was wrong, without what was there."""
    return error.errors(include_url=False, include_context=False, include_input=False)
