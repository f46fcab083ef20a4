"""What a limit's judgement means for its alarm: which state follows, and what is said about it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from domain.alarms import Alarm, AlarmState, Kind, Priority, Trigger, next_state
from domain.alerts import Breach, Flag, Phase, Reason
from domain.chart import Judgement, Track
from domain.draft import Draft
from domain.identities import episode_id_of
from domain.news import Cause, News
from domain.protocol import AlarmLimit
from domain.tracks import first_in_force, newest_value, was_in_force
from domain.vital_signs import VitalSign

_MOST_EVIDENCE = 5


class Verdict(StrEnum):
    """Why an evaluation came out as it did; also the metric label and the log field."""

    UNCHANGED = "unchanged"
    PENDING = "pending"  # violated, the on-delay not yet held
    LAPSED = "lapsed"  # no longer violated before the on-delay was held
    RAISED = "raised"
    ESCALATED = "escalated"
    DEESCALATED = "deescalated"
    LATCHED = "latched"
    ENDED = "ended"
    ABSENT = "absent"  # zero, sentinel, or marked absent: no value to judge
    UNUSABLE = "unusable"  # marked invalid or calibrating
    STORED_ONLY = "stored_only"
    NO_LIMIT = "no_limit"  # no limit of this protocol stands on this sign
    OVERTAKEN = "overtaken"  # newer evidence is known
    TOO_OLD = "too_old"  # the newest of its sign, but too old to be the present
    EXCESS = "excess"  # its device sends too much: stored, and judged with its next value


# The loudest first: a reading judged against several limits reports the first of these that applies.
_BY_WEIGHT = (
    Verdict.RAISED, Verdict.ESCALATED, Verdict.LATCHED, Verdict.ENDED, Verdict.DEESCALATED,
    Verdict.PENDING, Verdict.LAPSED,
)  # fmt: skip


def loudest(verdicts: set[Verdict]) -> Verdict:
    """The one verdict that a reading reports."""
    return next((verdict for verdict in _BY_WEIGHT if verdict in verdicts), Verdict.UNCHANGED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One limit's turn after a value took its place in *after*; *is_reordered* when it came out of order."""

    draft: Draft
    limit: AlarmLimit
    was: Judgement | None
    now: Judgement | None
    after: Track
    cause: Cause
    is_reordered: bool

    @property
    def priority(self) -> Priority | None:
        """What the limit calls for now; None while no tier is in force."""
        in_force = self.now is not None and self.now.tier >= 0
        return self.limit.tiers[self.now.tier].priority if in_force and self.now else None

    @property
    def onset_ms(self) -> int:
        """When the violation began; with this value where it is inside the deadband."""
        since = self.now.violated_since if self.now else ()
        return min((each for each in since if each is not None), default=self.cause.observed_ms)

    @property
    def is_done_with(self) -> bool:
        """Whether a person closed the alarm, and the value has come inside since, if not by the deadband."""
        return not self.is_reordered and not _is_violated_now(self)

    @property
    def is_withdrawn(self) -> bool:
        """Whether a late value shows that the limit never was in force, so that nothing has ended either."""
        return self.is_reordered and not was_in_force(self.after, self.limit)

    @property
    def breach(self) -> Breach | None:
        """The tier in force, as an alert tells it."""
        return breach_of(self.limit, self.now.tier) if self.now is not None and self.now.tier >= 0 else None


def turn_of(draft: Draft, limit: AlarmLimit, before: Track, after: Track, cause: Cause) -> Turn:
    """The turn of *limit* between two states of its sign's track."""
    return Turn(
        draft=draft,
        limit=limit,
        was=before.present.get(limit.limit_id),
        now=after.present.get(limit.limit_id),
        after=after,
        cause=cause,
        is_reordered=bool(before.window) and cause.observed_ms <= before.window[-1].at_ms,
    )


def settle(turn: Turn) -> Verdict:
    """Bring the limit's alarm to where its judgement says, and announce what changed."""
    alarm = turn.draft.alarms.get(turn.limit.limit_id)
    return _settle_quiet(turn) if alarm is None else _settle_standing(turn, alarm)


def _settle_quiet(turn: Turn) -> Verdict:
    state = AlarmState.PENDING if turn.was else AlarmState.INACTIVE
    following = next_state(state, _trigger(turn, None))
    if following is AlarmState.ACTIVE and turn.priority is not None:
        return Verdict.UNCHANGED if turn.is_done_with else _start(turn, turn.priority)
    if following is AlarmState.PENDING:
        return Verdict.PENDING
    return Verdict.LAPSED if state is AlarmState.PENDING else Verdict.UNCHANGED


def _settle_standing(turn: Turn, alarm: Alarm) -> Verdict:
    trigger = _trigger(turn, alarm.priority)
    if trigger is Trigger.VIOLATED:  # only a late reading can unsay what was already held
        trigger = Trigger.CLEARED
    state = next_state(alarm.state, trigger, latching=turn.limit.is_latching and not turn.is_withdrawn)
    if state is AlarmState.INACTIVE:
        return _end(turn, alarm)
    if turn.priority is None:
        return _latch(turn, alarm, state)
    return _follow(turn, alarm, state, turn.priority)


def _trigger(turn: Turn, standing: Priority | None) -> Trigger:
    if turn.now is None:
        return Trigger.CLEARED
    if turn.priority is None:
        return Trigger.VIOLATED
    rises = standing is not None and turn.priority > standing
    return Trigger.ESCALATED if rises else Trigger.HELD


def _start(turn: Turn, priority: Priority) -> Verdict:
    alarm_id = turn.draft.alarm_id(turn.limit.limit_id)
    onset_ms = turn.onset_ms
    started = Alarm(
        alarm_id=alarm_id,
        episode_id=episode_id_of(alarm_id, onset_ms, turn.cause.key),
        rule_id=turn.limit.limit_id,
        kind=Kind.PHYSIOLOGICAL,
        vital_sign=turn.limit.vital_sign,
        state=AlarmState.ACTIVE,
        priority=priority,
        onset_ms=onset_ms,
        started_ms=turn.cause.observed_ms,
        evidence=_evidence(turn.after, onset_ms),
        device_id=turn.cause.device_id,
    )
    reason = Reason.SIGNAL_LOST if Flag.SIGNAL_LOST in turn.cause.flags else Reason.LIMIT_VIOLATED
    seen = _seen(started, turn) if _is_violated_now(turn) else _as_it_was(started, turn)
    _announce(turn, seen, Phase.START, reason)
    return Verdict.RAISED


def _is_violated_now(turn: Turn) -> bool:
    return turn.now is not None and turn.now.violated_since[0] is not None


def _as_it_was(alarm: Alarm, turn: Turn) -> Alarm:
    """*alarm* with the value that was beyond the limit, where what is newest lies inside again."""
    first = first_in_force(turn.after, turn.limit) or turn.after.window[-1]
    evidence = (UUID(first.reading_hex),) if first.reading_hex else ()
    return replace(alarm, value=first.value, value_ms=first.at_ms, onset_ms=first.at_ms, evidence=evidence)


def _announce(
    turn: Turn, alarm: Alarm, phase: Phase, reason: Reason, previous: Priority | None = None
) -> None:
    turn.draft.announce(
        News(alarm=alarm, phase=phase, reason=reason, cause=turn.cause, breach=turn.breach, previous=previous)
    )


def _end(turn: Turn, alarm: Alarm) -> Verdict:
    ended = replace(_with_latest_value(alarm, turn), state=AlarmState.INACTIVE)
    _announce(turn, ended, Phase.END, Reason.OVERTAKEN if turn.is_withdrawn else Reason.CLEARED)
    return Verdict.ENDED


def _latch(turn: Turn, alarm: Alarm, state: AlarmState) -> Verdict:
    latched = replace(_with_latest_value(alarm, turn), state=state)
    if alarm.state is AlarmState.LATCHED:
        turn.draft.keep(latched)
        return Verdict.UNCHANGED
    _announce(turn, latched, Phase.UPDATE, Reason.CLEARED)
    return Verdict.LATCHED


def _follow(turn: Turn, before: Alarm, state: AlarmState, priority: Priority) -> Verdict:
    """The condition goes on: say only what is new about it."""
    alarm = replace(_seen(before, turn), state=state, priority=priority)
    if priority > before.priority:
        _announce(turn, alarm, Phase.ESCALATE, Reason.PRIORITY_ROSE, before.priority)
        return Verdict.ESCALATED
    if priority < before.priority:
        _announce(turn, alarm, Phase.DEESCALATE, Reason.PRIORITY_FELL, before.priority)
        return Verdict.DEESCALATED
    if before.state is AlarmState.LATCHED and state is AlarmState.ACTIVE:
        _announce(turn, alarm, Phase.UPDATE, Reason.LIMIT_VIOLATED)
        return Verdict.RAISED
    turn.draft.keep(alarm)
    return Verdict.UNCHANGED


def end_out_of_force(draft: Draft, sign: VitalSign, limits: Sequence[AlarmLimit], cause: Cause) -> bool:
    """End the alarms on *sign* whose limit no longer stands for this patient; whether there were any.

    An age, a prescribed target or oxygen has changed: no later value could end them.
    """
    standing = {limit.limit_id for limit in limits}
    retired = [
        alarm for alarm in draft.alarms.values() if alarm.vital_sign is sign and alarm.rule_id not in standing
    ]
    for alarm in retired:
        draft.end(alarm, Reason.NOT_IN_FORCE, cause)
    return bool(retired)


def breach_of(limit: AlarmLimit, tier: int) -> Breach:
    """What an alert says of the limit that was judged."""
    return Breach(
        side=limit.side,
        measure=limit.measure,
        threshold=limit.tiers[tier].threshold,
        is_inclusive=limit.tiers[tier].is_inclusive,
        layer=limit.layer,
        source=limit.source,
    )


def _seen(alarm: Alarm, turn: Turn) -> Alarm:
    """*alarm* with the newest value, and that value among its evidence where it violates."""
    updated = _with_latest_value(alarm, turn)
    newest = turn.after.window[-1]
    if not newest.reading_hex or not _is_violated_now(turn):
        return updated
    reading_id = UUID(newest.reading_hex)
    if reading_id in updated.evidence:
        return updated
    return replace(updated, evidence=(*updated.evidence, reading_id)[-_MOST_EVIDENCE:])


def _with_latest_value(alarm: Alarm, turn: Turn) -> Alarm:
    latest = newest_value(turn.after, turn.limit)
    return alarm if latest is None else replace(alarm, value=latest.value, value_ms=latest.at_ms)


def _evidence(after: Track, onset_ms: int) -> tuple[UUID, ...]:
    ids = [entry.reading_hex for entry in after.window if entry.at_ms >= onset_ms and entry.reading_hex]
    return tuple(UUID(each) for each in ids[-_MOST_EVIDENCE:])
