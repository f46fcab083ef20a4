"""What is said of a ward or a device as a whole: technical alarms without a patient."""

from dataclasses import replace

from domain.alarms import Alarm, AlarmState, Kind, Priority
from domain.alerts import Phase, Reason
from domain.identities import alarm_id_of, episode_id_of
from domain.news import Cause, News
from domain.observations import Mode

WARD_SILENT = "ward-silent"


def started(  # noqa: PLR0913, PLR0917  whose, what, how grave, since when
    key: tuple[Mode, str], rule_id: str, priority: Priority, onset_ms: int, started_ms: int, cause: str
) -> Alarm:
    """A technical alarm of the aggregate *key* that begins now."""
    alarm_id = alarm_id_of(*key, rule_id)
    return Alarm(
        alarm_id=alarm_id,
        episode_id=episode_id_of(alarm_id, onset_ms, cause),
        rule_id=rule_id,
        kind=Kind.TECHNICAL,
        vital_sign=None,
        state=AlarmState.ACTIVE,
        priority=priority,
        onset_ms=onset_ms,
        started_ms=started_ms,
        evidence=(),
    )


def told(alarm: Alarm, phase: Phase, reason: Reason, at_ms: int, cause: str) -> News:
    """What is said of *alarm*, which stands so from *at_ms* on; *cause* tells this from every other change."""
    led_to_it = Cause(key=cause, observed_ms=at_ms, received_ms=at_ms, device_id=alarm.device_id)
    return News(alarm=alarm, phase=phase, reason=reason, cause=led_to_it)


def over(alarm: Alarm, reason: Reason, at_ms: int, cause: str) -> News:
    """The end of *alarm*."""
    return told(replace(alarm, state=AlarmState.INACTIVE), Phase.END, reason, at_ms, cause)
