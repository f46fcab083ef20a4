"""Is my patient watched? Judged from the chart and from the signs of life of its lane, whoever asks and whenever."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from domain.chart import Chart
from domain.chart_watch import chart_watch
from domain.protocol import Protocol
from domain.watch import WATCHED, Watch, WatchReason, WatchState, began

LIFE_MS = 20_000  # four signs of life of a lane may be missing
SEEN_MS = 30_000  # so far behind may the input be before its newest values count as not judged
SENT_MS = 20_000  # so long may a lane be without a publisher, as while it changes hands
GAP_MS = 60_000  # what a lane was not watched for is noted from this long on


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneSigns:
    """What the holder of a lane knows of it: how far its input was seen, and whether its alerts go out."""

    seen_ms: int | None  # everything received before this has been judged; None: that cannot be told
    unsent_ms: int | None = None  # since when nothing can be published; None: it can
    is_paused: bool = False
    is_stopped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOfLife:
    """A lane as its holder last left word of it; *watched_until_ms* is None where it never was watched."""

    at_ms: int
    watched_until_ms: int | None = None
    seen_ms: int | None = None
    reason: WatchReason | None = None


class Gap(NamedTuple):
    """A time for which nobody watched a lane, noted once somebody does again."""

    from_ms: int
    until_ms: int
    reason: WatchReason


def lane_reason(signs: LaneSigns, now_ms: int) -> WatchReason | None:
    """Why the lane's patients are not watched, as its holder sees it; None if they are."""
    if signs.is_stopped:
        return WatchReason.LANE_STOPPED
    if signs.is_paused:
        return WatchReason.INPUT_PAUSED
    if signs.seen_ms is None or now_ms - signs.seen_ms > SEEN_MS:
        return WatchReason.INPUT_BEHIND
    if signs.unsent_ms is not None and now_ms - signs.unsent_ms > SENT_MS:
        return WatchReason.ALERTS_NOT_SENT
    return None


def sign_of_life(before: SignOfLife | None, signs: LaneSigns, now_ms: int) -> SignOfLife:
    """The word its holder leaves of a lane, after what was left *before*, by whomever."""
    seen = [ms for ms in (signs.seen_ms, before.seen_ms if before else None) if ms is not None]
    signs = replace(signs, seen_ms=max(seen, default=None))
    reason = lane_reason(signs, now_ms)
    watched_until_ms = before.watched_until_ms if before else None
    return SignOfLife(
        at_ms=now_ms,
        watched_until_ms=now_ms if reason is None else watched_until_ms,
        seen_ms=signs.seen_ms,
        reason=reason,
    )


def lane_watch(sign: SignOfLife | None, now_ms: int) -> Watch:
    """How a lane is watched as seen from outside: a worker that is dead or cut off leaves no word."""
    if sign is None:
        return Watch(WatchState.NOT_WATCHED, WatchReason.NOBODY_EVALUATES)
    if now_ms - sign.at_ms > LIFE_MS:
        return Watch(WatchState.NOT_WATCHED, WatchReason.NOBODY_EVALUATES, sign.watched_until_ms)
    if sign.reason is not None:
        return Watch(WatchState.NOT_WATCHED, sign.reason, sign.watched_until_ms)
    return WATCHED


def gap_before(sign: SignOfLife | None, after: SignOfLife) -> Gap | None:
    """The time before *after*, which watches again, for which nobody did; None if it was short."""
    if sign is None or sign.watched_until_ms is None or after.reason is not None:
        return None
    if after.at_ms - sign.watched_until_ms < GAP_MS:
        return None
    return Gap(sign.watched_until_ms, after.at_ms, sign.reason or WatchReason.NOBODY_EVALUATES)


def patient_watch(chart: Chart, sign: SignOfLife | None, protocol: Protocol, now_ms: int) -> Watch | None:
    """How *chart*'s patient is watched at *now_ms*; None if nobody is admitted.

    A device is silent only as far as the lane's input has been seen: beyond that the silence is ours. Of two
    reasons not to be watched the one that has lasted longer is told.
    """
    seen_ms = now_ms if sign is None or sign.seen_ms is None else min(now_ms, sign.seen_ms)
    own = chart_watch(chart, protocol, seen_ms)
    if own is None or chart.admission is None:
        return None
    lane = lane_watch(sign, now_ms)
    if lane.state is WatchState.WATCHED:
        return own
    lane = lane._replace(since_ms=max(lane.since_ms or 0, chart.admission.admitted_ms))
    return own if own.state is WatchState.NOT_WATCHED and began(own) < began(lane) else lane
