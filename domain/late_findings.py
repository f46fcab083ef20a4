"""Late findings: a value that no longer is the present was beyond a limit, and nobody had been told."""

from collections.abc import Sequence
from uuid import UUID

from domain.alarms import Alarm, AlarmState, Kind, Priority
from domain.alerts import Phase, Reason
from domain.chart import Entry, Track
from domain.draft import Draft
from domain.identities import episode_id_of
from domain.limit_alarms import breach_of
from domain.news import Cause, News
from domain.protocol import AlarmLimit
from domain.tracks import first_in_force, judged_value, was_in_force


def find_late(draft: Draft, track: Track, entry: Entry, limits: Sequence[AlarmLimit], cause: Cause) -> Track:
    """Say that a value which no longer is the present was beyond a limit: once per limit in a while."""
    for limit in limits:
        value = judged_value(limit, entry.value or 0.0, entry.at_ms, track.history)
        if limit.is_violated_by(value, limit.tiers[0]):
            track = _told(draft, track, limit, entry, cause)
    return track


def find_what_passed_unheard(  # noqa: PLR0913, PLR0917  two states of a track, and what led from one to the other
    draft: Draft, limits: Sequence[AlarmLimit], before: Track, after: Track, entry: Entry, cause: Cause
) -> Track:
    """Say of each limit that a late value shows to have been in force, and to be over, that it was."""
    track = after
    for limit in limits:
        if _is_unheard(draft, limit, before, after):
            track = _told(draft, track, limit, first_in_force(after, limit) or entry, cause)
    return track


def _is_unheard(draft: Draft, limit: AlarmLimit, before: Track, after: Track) -> bool:
    if limit.limit_id in draft.alarms:
        return False
    return was_in_force(after, limit) and not was_in_force(before, limit)


def _told(draft: Draft, track: Track, limit: AlarmLimit, entry: Entry, cause: Cause) -> Track:
    known = track.late_findings.get(limit.limit_id)
    if known is not None and abs(entry.at_ms - known) < draft.protocol.lateness.finding_interval_ms:
        return track
    evidence = (UUID(entry.reading_hex),) if entry.reading_hex else cause.evidence
    seen = cause._replace(observed_ms=entry.at_ms, evidence=evidence)
    _announce_finding(draft, limit, entry, seen)
    return track._replace(late_findings={**track.late_findings, limit.limit_id: entry.at_ms})


def _announce_finding(draft: Draft, limit: AlarmLimit, entry: Entry, cause: Cause) -> None:
    rule_id = f"late-finding/{limit.limit_id}"
    alarm_id = draft.alarm_id(rule_id)
    finding = Alarm(
        alarm_id=alarm_id,
        episode_id=episode_id_of(alarm_id, entry.at_ms, cause.key),
        rule_id=rule_id,
        kind=Kind.ADVISORY,
        vital_sign=limit.vital_sign,
        state=AlarmState.INACTIVE,
        priority=Priority.LOW,
        onset_ms=entry.at_ms,
        started_ms=entry.at_ms,
        evidence=cause.evidence,
        device_id=cause.device_id,
        value=entry.value,
        value_ms=entry.at_ms,
    )
    breach = breach_of(limit, 0)
    draft.announce(
        News(alarm=finding, phase=Phase.TPOINT, reason=Reason.LATE_FINDING, cause=cause, breach=breach)
    )
