"""How a limit's tiers stand after one more value: on-delay, deadband and clear time, in observed time."""

from domain.chart import Judgement
from domain.protocol import AlarmLimit


def judge(
    limit: AlarmLimit, judgement: Judgement | None, value: float, at_ms: int, *, is_streamed: bool
) -> Judgement | None:
    """How *limit* stands after *value*, seen at *at_ms*; None where there is nothing to say about it.

    A delay is held only by a later value that violates too, never by a clock. Spot checks have no on-delay
    and no clear time. The tier rises at once; it falls one by one, each after deadband and clear time.
    """
    if judgement is None and not limit.is_violated_by(value, limit.tiers[0]):
        return None
    before = judgement or _nothing(limit)
    violated_since = tuple(
        _since(was, at_ms, holds=limit.is_violated_by(value, tier))
        for tier, was in zip(limit.tiers, before.violated_since, strict=True)
    )
    cleared_since = tuple(
        _since(was, at_ms, holds=limit.is_cleared_by(value, tier))
        for tier, was in zip(limit.tiers, before.cleared_since, strict=True)
    )
    reached = _highest_held(limit, violated_since, at_ms, is_streamed=is_streamed)
    standing = _fallen(limit, before.tier, cleared_since, at_ms, is_streamed=is_streamed)
    return _or_nothing(Judgement(max(reached, standing), violated_since, cleared_since))


def lose(limit: AlarmLimit, judgement: Judgement | None) -> Judgement | None:
    """How *limit* stands when the signal is lost: what was pending is in force at once.

    An absent value is no evidence of health, so a clear time that was running starts anew.
    """
    if judgement is None:
        return None
    pending = [tier for tier, since in enumerate(judgement.violated_since) if since is not None]
    tier = max(judgement.tier, *pending) if pending else judgement.tier
    return _or_nothing(Judgement(tier, judgement.violated_since, (None,) * len(limit.tiers)))


def _nothing(limit: AlarmLimit) -> Judgement:
    return Judgement(-1, (None,) * len(limit.tiers), (None,) * len(limit.tiers))


def _or_nothing(judgement: Judgement) -> Judgement | None:
    says_nothing = judgement.tier < 0 and judgement.violated_since[0] is None
    return None if says_nothing else judgement


def _since(was: int | None, at_ms: int, *, holds: bool) -> int | None:
    if not holds:
        return None
    return at_ms if was is None else was


def _highest_held(
    limit: AlarmLimit, violated_since: tuple[int | None, ...], at_ms: int, *, is_streamed: bool
) -> int:
    held = -1
    for index, (tier, since) in enumerate(zip(limit.tiers, violated_since, strict=True)):
        if since is not None and (not is_streamed or at_ms - since >= tier.on_delay_ms):
            held = index
    return held


def _fallen(
    limit: AlarmLimit, standing: int, cleared_since: tuple[int | None, ...], at_ms: int, *, is_streamed: bool
) -> int:
    wanted = limit.clear_time_ms if is_streamed else 0
    while standing >= 0:
        since = cleared_since[standing]
        if since is None or at_ms - since < wanted:
            break
        standing -= 1
    return standing
