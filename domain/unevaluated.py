"""What our own code failed on: the patient is not watched in this, so someone is told until it works again."""

from dataclasses import dataclass
from datetime import datetime

from domain.alarms import Priority
from domain.alerts import Reason
from domain.commands import Command
from domain.draft import Draft
from domain.news import Cause
from domain.observations import ObservationSet
from domain.technical_alarms import end_technical, raise_technical
from domain.times import to_ms

_RULE = "not-evaluated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unevaluated:
    """A set of *device_id*, or (None) a command or a tick, that could not be evaluated; what it said is not used."""

    at: datetime  # when it was received, or due
    device_id: str | None = None


def rule_of(device_id: str | None) -> str:
    """The rule under which it is said that what *device_id* sends, or the staff order, cannot be evaluated."""
    return _RULE if device_id is None else f"{_RULE}/{device_id}"


def tell_unevaluated(draft: Draft, item: Unevaluated) -> None:
    """Raise the alarm unless it stands; nothing else is touched, since anything else might fail again.

    The chart's clock stays where it is: timers that are due by then have not run out yet, and will, each at
    its own time, with the next input that can be evaluated.
    """
    at_ms = to_ms(item.at)
    clock_ms = draft.clock_ms
    draft.clock_ms = max(clock_ms, at_ms)  # what the alert says of when it was decided
    rule_id = rule_of(item.device_id)
    cause = Cause(key=f"{rule_id}\x1f{at_ms}", observed_ms=at_ms, received_ms=at_ms, device_id=item.device_id)
    raise_technical(draft, rule_id, Priority.MEDIUM, Reason.NOT_EVALUATED, cause)
    draft.clock_ms = clock_ms


def end_unevaluated(draft: Draft, item: ObservationSet | Command) -> None:
    """*item* is being evaluated: what comes from there is judged again. If it fails after all, so has this."""
    at_ms = to_ms(item.received_at)
    if isinstance(item, ObservationSet):
        key, device_id = item.readings[0].reading_id, item.device_id
        rules = {rule_of(device_id), rule_of(None)}
    else:
        key, device_id = item.command_id, None
        rules = {rule_of(None)}
    cause = Cause(
        key=key,
        observed_ms=at_ms,
        received_ms=at_ms,
        device_id=device_id,
        correlation_id=item.correlation_id,
    )
    for rule_id in sorted(rules & draft.alarms.keys()):
        end_technical(draft, rule_id, Reason.EVALUATED, cause)
