"""Alarms about equipment and signals: they stand or they do not; no limit, no delay of their own."""

from domain.alarms import Alarm, AlarmState, Kind, Priority
from domain.alerts import Phase, Reason
from domain.draft import Draft
from domain.identities import episode_id_of
from domain.news import Cause, News


def raise_technical(draft: Draft, rule_id: str, priority: Priority, reason: Reason, cause: Cause) -> None:
    """Start the signal alarm *rule_id* unless it stands already."""
    if rule_id in draft.alarms:
        return
    alarm_id = draft.alarm_id(rule_id)
    alarm = Alarm(
        alarm_id=alarm_id,
        episode_id=episode_id_of(alarm_id, cause.observed_ms, cause.key),
        rule_id=rule_id,
        kind=Kind.TECHNICAL,
        vital_sign=None,
        state=AlarmState.ACTIVE,
        priority=priority,
        onset_ms=cause.observed_ms,
        started_ms=cause.observed_ms,
        evidence=cause.evidence,
        device_id=cause.device_id,
    )
    draft.announce(News(alarm=alarm, phase=Phase.START, reason=reason, cause=cause))


def end_technical(draft: Draft, rule_id: str, reason: Reason, cause: Cause) -> None:
    """End the signal alarm *rule_id* if it stands."""
    alarm = draft.alarms.get(rule_id)
    if alarm is not None:
        draft.end(alarm, reason, cause)
