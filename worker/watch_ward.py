"""What `vigil watch` knows of the ward: folded from alerts, alarm states and heartbeats, one record at a time."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from pydantic import ValidationError

from domain.alarms import AlarmState
from domain.alerts import Phase
from domain.observations import Mode
from worker.messages.announced_shapes import AlarmStateV1, AlertV1, HeartbeatV1, WardPatientsV1

LAST_ENDED = 8
"""How many alarms that are over stay in sight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """An alarm that is over, or a finding that never stood; *reason* is None where only a tombstone told of it."""

    last: AlarmStateV1 | AlertV1
    at: datetime
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One record of an output topic: *key*, *value* and *sequence*, its number within its lane."""

    key: bytes | None
    value: bytes | None
    sequence: int
    at: datetime


@dataclass(slots=True)
class WardView:
    """The alarms that stand, those that ended last, and when each lane last gave a sign of life.

    Topics are read side by side, so what is said of one alarm may arrive in the wrong order: the lane's numbers
    say which is newer. *mode* and *ward* leave out all else.
    """

    mode: Mode | None = None
    ward: str | None = None
    standing: dict[UUID, AlarmStateV1 | AlertV1] = field(default_factory=dict)
    ended: deque[Ended] = field(default_factory=lambda: deque(maxlen=LAST_ENDED))
    heartbeats: dict[int, HeartbeatV1] = field(default_factory=dict)
    patients: dict[int, list[WardPatientsV1]] = field(default_factory=dict)  # as each lane last told
    unreadable: int = 0
    changes: int = 0  # how often something other than a heartbeat was learnt
    _newest: dict[UUID, int] = field(default_factory=dict)

    def take_alert(self, arrival: Arrival) -> None:
        """Fold in a record of one of the alert topics."""
        try:
            alert = AlertV1.model_validate_json(arrival.value or b"")
        except ValidationError:
            self.unreadable += 1
            return
        if not self._is_wanted(alert):
            return
        if alert.phase is Phase.TPOINT:
            self._remember(alert, alert.determined_at, alert.reason)
        elif self._is_newer(alert.alarm_id, arrival.sequence):
            self._stand_or_end(alert)

    def take_alarm_state(self, arrival: Arrival) -> None:
        """Fold in a record of the compacted topic; one without a value says that the alarm is over."""
        try:
            alarm_id = UUID((arrival.key or b"").decode())
            state = None if arrival.value is None else AlarmStateV1.model_validate_json(arrival.value)
        except ValueError:
            self.unreadable += 1
            return
        if state is not None and not self._is_wanted(state):
            return
        if self._is_newer(alarm_id, arrival.sequence):
            if state is None:
                self._end(alarm_id, arrival.at, None)
            else:
                self._stand(state)

    def take_heartbeat(self, arrival: Arrival) -> None:
        """Fold in a lane's sign of life."""
        try:
            beat = HeartbeatV1.model_validate_json(arrival.value or b"")
        except ValueError:
            self.unreadable += 1
            return
        known = self.heartbeats.get(beat.lane)
        if known is None or known.at <= beat.at:
            self.heartbeats[beat.lane] = beat
            if beat.patients is not None:
                self.patients[beat.lane] = beat.patients

    def _stand_or_end(self, alert: AlertV1) -> None:
        if alert.state is AlarmState.INACTIVE:
            self.standing.setdefault(alert.alarm_id, alert)
            self._end(alert.alarm_id, alert.ended_at or alert.determined_at, alert.reason)
        else:
            self._stand(alert)

    def _stand(self, told: AlarmStateV1 | AlertV1) -> None:
        self.standing[told.alarm_id] = told
        self.changes += 1

    def _end(self, alarm_id: UUID, at: datetime, reason: str | None) -> None:
        last = self.standing.pop(alarm_id, None)
        if last is not None:
            self._remember(last, at, reason)

    def _remember(self, last: AlarmStateV1 | AlertV1, at: datetime, reason: str | None) -> None:
        self.ended.appendleft(Ended(last=last, at=at, reason=reason))
        self.changes += 1

    def _is_wanted(self, told: AlarmStateV1 | AlertV1) -> bool:
        return self.wants(told.mode, told.location.ward)

    def wants(self, mode: Mode, ward: str | None) -> bool:
        """Whether data of *mode* about *ward* is shown."""
        return self.mode in (None, mode) and self.ward in (None, ward)

    def _is_newer(self, alarm_id: UUID, sequence: int) -> bool:
        if sequence <= self._newest.get(alarm_id, -1):
            return False
        self._newest[alarm_id] = sequence
        return True
