"""The alert: an immutable, published fact about an alarm."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.alarms import AlarmState, Kind, Priority
from domain.observations import Mode
from domain.protocol import Measure, Side
from domain.vital_signs import VitalSign


class Phase(StrEnum):
    """What an alert reports (the words of IHE ACM)."""

    START = "start"
    CONTINUE = "continue"
    UPDATE = "update"
    ESCALATE = "escalate"
    DEESCALATE = "deescalate"
    END = "end"
    RESET = "reset"  # a latched alarm is let go
    TPOINT = "tpoint"  # instantaneous: a late finding opens no alarm


class Reason(StrEnum):
    """Why an alert was given; the metric label and the log field carry the same word."""

    LIMIT_VIOLATED = "limit_violated"
    SIGNAL_LOST = "signal_lost"  # the signal was lost while the violation was pending
    CLEARED = "cleared"
    OVERTAKEN = "overtaken"  # a late reading showed that it should not have started
    PRIORITY_ROSE = "priority_rose"
    PRIORITY_FELL = "priority_fell"
    LATE_FINDING = "late_finding"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"
    DISCHARGED = "discharged"
    MOVED = "moved"
    SENSOR_OFF = "sensor_off"
    ALL_SIGNALS_ABSENT = "all_signals_absent"
    NO_BREATHING = "no_breathing"
    SIGNAL_OVERDUE = "signal_overdue"
    SIGNAL_BACK = "signal_back"
    CLOCK_AHEAD = "clock_ahead"
    CLOCK_SKEW = "clock_skew"
    CLOCK_RIGHT = "clock_right"
    TOO_FREQUENT = "too_frequent"  # a spot-check device that sends like a monitor
    RHYTHM_RIGHT = "rhythm_right"  # it no longer does
    WARD_SILENT = "ward_silent"
    FLOODING = "flooding"  # a device sends more than its budget: not all of it is judged
    DEVICE_UNUSABLE = "device_unusable"  # of the last sets of a device nearly none could be used
    DEVICE_USABLE = "device_usable"  # they can again
    INPUT_PAUSED = "input_paused"  # nothing on an input partition can be used
    INPUT_RESUMED = "input_resumed"  # it can again
    INPUT_LOST = "input_lost"  # deleted from the log before it was read
    TOLD_LONG_ENOUGH = "told_long_enough"  # what is past and cannot be mended does not stand for ever
    PROTOCOL_CHANGED = "protocol_changed"
    NOT_EVALUATED = "not_evaluated"  # our own code failed on a message: the patient is not watched in this
    EVALUATED = "evaluated"  # what comes from there is judged again
    NOT_IN_FORCE = "not_in_force"  # the limit no longer stands for this patient: age, oxygen, target


class Flag(StrEnum):
    """A word of caution on the page; it never delays, lowers or drops an alarm."""

    SUSPECT = "suspect"
    QUESTIONABLE = "questionable"
    LATE = "late"
    CLOCK_AHEAD = "clock_ahead"
    CLOCK_CORRECTED = "clock_corrected"
    CONFLICT = "conflict"
    SIGNAL_LOST = "signal_lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """The limit that was judged: its side, its threshold, and the layer that set it."""

    side: Side
    measure: Measure = Measure.VALUE
    threshold: float
    is_inclusive: bool
    layer: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One announcement about one alarm.

    The same input gives the same alert, byte for byte: nothing in it depends on when, where or in which
    batch it was made. *alert_id* is made of episode, phase and cause.
    """

    alert_id: UUID
    episode_id: UUID
    alarm_id: UUID
    chart_seq: int
    phase: Phase
    reason: Reason
    kind: Kind
    state: AlarmState
    priority: Priority
    previous_priority: Priority | None
    rule_id: str
    protocol_id: str
    protocol_version: str
    protocol_hash: str
    patient_id: str | None  # None: the alert is about a ward
    mode: Mode
    ward: str | None
    bed: str | None
    birth_year: int | None
    vital_sign: VitalSign | None
    value: float | None
    breach: Breach | None
    device_id: str | None
    site: str | None
    observed_at: datetime  # of what led to it
    received_at: datetime
    onset_at: datetime
    determined_at: datetime  # the chart's clock when it was decided
    ended_at: datetime | None
    flags: tuple[Flag, ...]
    evidence: tuple[UUID, ...]
    correlation_id: UUID | None
    title: str  # plain language, at most 130 characters
