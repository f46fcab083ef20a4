"""The evaluation: a chart, one input and the protocol in; the chart as it is then, and what must be said, out."""

from dataclasses import dataclass

from domain.adoption import adopt
from domain.alarms import Alarm
from domain.alerts import Alert, Flag
from domain.chart import Chart
from domain.commands import Command
from domain.draft import Draft
from domain.intake import take_observations
from domain.limit_alarms import Verdict
from domain.observations import ObservationSet, Tick
from domain.orders import Refusal, obey
from domain.overdue import next_due_ms, pass_time
from domain.protocol import Protocol
from domain.times import to_ms
from domain.wards import WardSignal


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What one input did to a chart.

    *chart* is numbered one higher than before. *verdicts* has one word for each reading of a set;
    *flags* is what the set's readings are stored with. *refusal* says why a command had no effect.
    """

    chart: Chart
    alerts: tuple[Alert, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    flags: tuple[Flag, ...] = ()
    ended: tuple[Alarm, ...] = ()
    ward_signals: tuple[WardSignal, ...] = ()
    refusal: Refusal | None = None


def evaluate(
    chart: Chart, item: ObservationSet | Command | Tick, protocol: Protocol, *, is_conflict: bool = False
) -> Evaluation:
    """Work *item* into *chart* under *protocol*; the same three always give the same answer.

    Timers due by the time of *item* run out first, each at its own due time, so that it makes no
    difference whether a tick or the next reading brings them to light. *is_conflict* says that the store
    knows another value of the same device, sign and time.
    """
    draft = Draft(chart, protocol)
    adopt(draft)
    verdicts: tuple[Verdict, ...] = ()
    flags: tuple[Flag, ...] = ()
    refusal = None
    _reach(draft, item)
    if isinstance(item, ObservationSet):
        verdicts, flags = take_observations(draft, item, is_conflict=is_conflict)
    elif isinstance(item, Command):
        refusal = obey(draft, item)
    return Evaluation(
        chart=draft.finished(_due_ms(draft)),
        alerts=tuple(draft.alerts),
        verdicts=verdicts,
        flags=flags,
        ended=tuple(draft.ended),
        ward_signals=tuple(draft.ward_signals),
        refusal=refusal,
    )


def _reach(draft: Draft, item: ObservationSet | Command | Tick) -> None:
    if isinstance(item, Tick):
        at_ms = to_ms(item.at)
        pass_time(draft, at_ms)
    else:
        at_ms = to_ms(item.received_at)
        draft.is_replayed = item.is_replayed
        pass_time(draft, at_ms - 1)  # what comes at the very moment it is due is in time
    draft.clock_ms = max(draft.clock_ms, at_ms)


def _due_ms(draft: Draft) -> int | None:
    """When this chart wants a tick; an earlier moment that still lies ahead is kept, to spare a write."""
    if draft.is_replayed:
        return None
    earliest = next_due_ms(draft)
    known = draft.before.due_ms
    if earliest is not None and known is not None and draft.clock_ms < known <= earliest:
        return known
    return earliest
