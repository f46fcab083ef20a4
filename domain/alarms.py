"""The alarm: the state that stands between one patient and one limit, and how it moves."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum, StrEnum, auto
from uuid import UUID

from domain.vital_signs import VitalSign


class Priority(IntEnum):
    """How soon someone must come (IEC 60601-1-8); the higher the number the sooner."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3

    @property
    def word(self) -> str:
        """The priority as it stands on the wire."""
        return self.name.lower()


class Kind(StrEnum):
    """What an alarm is about (BICEPS alert condition kind)."""

    PHYSIOLOGICAL = "physiological"  # the patient
    TECHNICAL = "technical"  # equipment, signal, or Vigil itself
    ADVISORY = "advisory"  # worth knowing, nobody has to run


class AlarmState(StrEnum):
    """Where an alarm stands."""

    INACTIVE = "inactive"
    PENDING = "pending"  # violated, the on-delay not yet held
    ACTIVE = "active"
    ACKNOWLEDGED = "acknowledged"  # a clinician has seen it; the condition goes on
    LATCHED = "latched"  # the condition has ended, the alarm stays until a person lets it go


class Trigger(Enum):
    """What can happen to an alarm."""

    VIOLATED = auto()  # beyond the limit, not yet for long enough
    HELD = auto()  # beyond the limit for the whole on-delay
    CLEARED = auto()  # back inside by the deadband for the whole clear time
    ACKNOWLEDGED = auto()  # a clinician has seen it
    ESCALATED = auto()  # the priority rose: an acknowledgement of the lower one no longer counts
    CLOSED = auto()  # a person, or a discharge, ends it


S = AlarmState

# Rows: where the alarm stands. Columns: what has happened. Every pair has an answer.
# fmt: off
_GRID: Mapping[AlarmState, tuple[AlarmState, ...]] = {
    #                VIOLATED        HELD            CLEARED      ACKNOWLEDGED    ESCALATED   CLOSED
    S.INACTIVE:     (S.PENDING,      S.ACTIVE,       S.INACTIVE,  S.INACTIVE,     S.INACTIVE, S.INACTIVE),
    S.PENDING:      (S.PENDING,      S.ACTIVE,       S.INACTIVE,  S.PENDING,      S.ACTIVE,   S.INACTIVE),
    S.ACTIVE:       (S.ACTIVE,       S.ACTIVE,       S.INACTIVE,  S.ACKNOWLEDGED, S.ACTIVE,   S.INACTIVE),
    S.ACKNOWLEDGED: (S.ACKNOWLEDGED, S.ACKNOWLEDGED, S.INACTIVE,  S.ACKNOWLEDGED, S.ACTIVE,   S.INACTIVE),
    S.LATCHED:      (S.LATCHED,      S.ACTIVE,       S.LATCHED,   S.INACTIVE,     S.ACTIVE,   S.INACTIVE),
}
# fmt: on
TRANSITIONS = {
    (state, trigger): after
    for state, row in _GRID.items()
    for trigger, after in zip(Trigger, row, strict=True)
}
# The one thing a latching limit changes.
LATCHING_TRANSITIONS = TRANSITIONS | {
    (S.ACTIVE, Trigger.CLEARED): S.LATCHED,
    (S.ACKNOWLEDGED, Trigger.CLEARED): S.INACTIVE,
}


def next_state(state: AlarmState, trigger: Trigger, *, latching: bool = False) -> AlarmState:
    """Where an alarm in *state* stands after *trigger*."""
    return (LATCHING_TRANSITIONS if latching else TRANSITIONS)[state, trigger]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One alarm of one patient, from the moment it became active until it is inactive again.

    Times are milliseconds since 1970. *rule_id* names the limit or signal rule (`spo2-low`,
    `sensor-off/probe/mon-7b-12`). A pending alarm has announced nothing and has no record but its judgement.
    """

    alarm_id: UUID  # the same for every episode of this patient and rule
    episode_id: UUID  # this time
    rule_id: str
    kind: Kind
    vital_sign: VitalSign | None
    state: AlarmState
    priority: Priority
    onset_ms: int  # observed time of the first violation
    started_ms: int  # observed time at which it became active
    evidence: tuple[UUID, ...]  # the readings that led here, newest last
    device_id: str | None = None
    value: float | None = None  # the last value that was judged
    value_ms: int | None = None  # when that was observed
