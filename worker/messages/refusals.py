"""Why a record, or one reading of it, could not be used: a closed list, told without any value."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from domain.observations import Acquisition, Mode


class Stage(StrEnum):
    """How far a record came."""

    TRANSPORT = "transport"  # the record itself
    DECODE = "decode"  # bytes to JSON
    SCHEMA = "schema"  # JSON to the shape of the message
    SEMANTIC = "semantic"  # a shape that says something impossible
    PERSIST = "persist"  # PostgreSQL would not have it
    EVALUATE = "evaluate"  # the protocol could not judge it


class RefusalReason(StrEnum):
    """What was wrong; the word of the metric label, the log field and the problem's type."""

    NO_VALUE = "no_value"  # a record without a value
    VALUE_TOO_LARGE = "value_too_large"  # of the record, in bytes
    RECORD_TIME_UNUSABLE = "record_time_unusable"
    INVALID_JSON = "invalid_json"  # not UTF-8, not JSON, NaN, or nested too deep
    DECODER_FAILED = "decoder_failed"  # a defect of ours
    UNSUPPORTED_SCHEMA_VERSION = "unsupported_schema_version"
    INVALID_MESSAGE = "invalid_message"
    NO_READINGS = "no_readings"
    TOO_MANY_READINGS = "too_many_readings"
    UNKNOWN_COMMAND = "unknown_command"
    INVALID_READING = "invalid_reading"
    UNKNOWN_VITAL_SIGN = "unknown_vital_sign"
    INVALID_TIME = "invalid_time"
    TIME_WITHOUT_ZONE = "time_without_zone"
    TIME_OUT_OF_RANGE = "time_out_of_range"
    OBSERVED_IN_FUTURE = "observed_in_future"  # more than a day after the record was received
    ISSUED_IN_FUTURE = "issued_in_future"
    VALUE_MISSING = "value_missing"
    VALUE_WRONG_TYPE = "value_wrong_type"  # a word where a number belongs, or the reverse
    UNKNOWN_VALUE_CODE = "unknown_value_code"
    UNIT_MISSING = "unit_missing"
    UNIT_NOT_ACCEPTED = "unit_not_accepted"
    IMPOSSIBLE_VALUE = "impossible_value"
    NOT_STORED = "not_stored"
    NOT_EVALUATED = "not_evaluated"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the problem (RFC 9457) says of a reason."""

    stage: Stage
    status: int
    title: str


_T, _D, _SCH, _SEM = Stage.TRANSPORT, Stage.DECODE, Stage.SCHEMA, Stage.SEMANTIC
_R = RefusalReason

EXPLANATIONS: Mapping[RefusalReason, Explanation] = {
    _R.NO_VALUE: Explanation(_T, 400, "The record has no value."),
    _R.VALUE_TOO_LARGE: Explanation(_T, 413, "The record's value is larger than a message may be."),
    _R.RECORD_TIME_UNUSABLE: Explanation(
        _T, 400, "The record's timestamp cannot be used as its received time."
    ),
    _R.INVALID_JSON: Explanation(_D, 400, "The value is not a JSON document in UTF-8."),
    _R.DECODER_FAILED: Explanation(_D, 500, "The decoder failed on this record; that is a defect of Vigil."),
    _R.UNSUPPORTED_SCHEMA_VERSION: Explanation(_SCH, 422, "This schema version is not supported."),
    _R.INVALID_MESSAGE: Explanation(_SCH, 422, "The message does not have the published shape."),
    _R.NO_READINGS: Explanation(_SCH, 422, "The observation set has no readings."),
    _R.TOO_MANY_READINGS: Explanation(_SCH, 422, "The observation set has more readings than one may have."),
    _R.UNKNOWN_COMMAND: Explanation(_SCH, 422, "There is no command of this name."),
    _R.INVALID_READING: Explanation(_SCH, 422, "The reading does not have the published shape."),
    _R.UNKNOWN_VITAL_SIGN: Explanation(_SCH, 422, "There is no vital sign of this name."),
    _R.INVALID_TIME: Explanation(_SEM, 422, "A time is not an RFC 3339 date and time."),
    _R.TIME_WITHOUT_ZONE: Explanation(_SEM, 422, "A time has no zone; it is never guessed."),
    _R.TIME_OUT_OF_RANGE: Explanation(_SEM, 422, "A time lies outside the years that can be."),
    _R.OBSERVED_IN_FUTURE: Explanation(
        _SEM, 422, "The set claims to be observed more than a day after it came."
    ),
    _R.ISSUED_IN_FUTURE: Explanation(
        _SEM, 422, "The command claims to be issued more than a day after it came."
    ),
    _R.VALUE_MISSING: Explanation(_SEM, 422, "The reading has no value and does not say that it is absent."),
    _R.VALUE_WRONG_TYPE: Explanation(_SEM, 422, "The vital sign is not told by this kind of value."),
    _R.UNKNOWN_VALUE_CODE: Explanation(_SEM, 422, "The vital sign has no such code."),
    _R.UNIT_MISSING: Explanation(_SEM, 422, "The reading has no unit; it is never guessed."),
    _R.UNIT_NOT_ACCEPTED: Explanation(_SEM, 422, "The vital sign is not measured in this unit."),
    _R.IMPOSSIBLE_VALUE: Explanation(_SEM, 422, "No living patient could have this value in this unit."),
    _R.NOT_STORED: Explanation(Stage.PERSIST, 500, "The database would not store it."),
    _R.NOT_EVALUATED: Explanation(Stage.EVALUATE, 500, "The protocol could not judge it."),
}


@dataclass(frozen=True, slots=True)
class ErrorAt:
    """Where something was wrong (`readings[1].unit`) and what, by its code."""

    loc: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A record, or reading number *position* of it (0: the whole record), that could not be used."""

    reason: RefusalReason
    correlation_id: UUID
    errors: tuple[ErrorAt, ...] = ()
    position: int = 0
    device_id: str | None = None
    mode: Mode = Mode.REAL
    acquisition: Acquisition | None = None  # of a set whose device is known

    @property
    def stage(self) -> Stage:
        """How far it came."""
        return EXPLANATIONS[self.reason].stage
