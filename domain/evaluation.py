"""The evaluation: a chart, one input and the protocol in; the chart as it is then, and what must be said, out."""

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from domain.adoption import adopt
from domain.alarms import Alarm
from domain.alerts import Alert, Flag
from domain.chart import Chart, Device
from domain.commands import Command
from domain.draft import Draft
from domain.intake import take_observations
from domain.limit_alarms import Verdict
from domain.observations import ObservationSet, Tick
from domain.orders import Refusal, obey
from domain.overdue import next_due_ms, overdue_ms, pass_time
from domain.protocol import Protocol
from domain.times import to_ms
from domain.unevaluated import Unevaluated, end_unevaluated, tell_unevaluated
from domain.wards import WardSignal


class Said(NamedTuple):
    """What there is to say of one input.

    *verdicts* has one word for each reading of a set; *flags* is what the set's readings are stored with.
    *refusal* says why a command had no effect.
    """

    alerts: tuple[Alert, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    flags: tuple[Flag, ...] = ()
    ended: tuple[Alarm, ...] = ()
    ward_signals: tuple[WardSignal, ...] = ()
    refusal: Refusal | None = None


class Evaluation(NamedTuple):
    """What one input did to a chart, which is numbered one higher than before, and what there is to say."""

    chart: Chart
    alerts: tuple[Alert, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    flags: tuple[Flag, ...] = ()
    ended: tuple[Alarm, ...] = ()
    ward_signals: tuple[WardSignal, ...] = ()
    refusal: Refusal | None = None


Input: TypeAlias = ObservationSet | Command | Tick | Unevaluated
"""What a chart takes in, one after the other; each is numbered."""


def evaluate(chart: Chart, item: Input, protocol: Protocol, *, is_conflict: bool = False) -> Evaluation:
    """Work *item* into *chart* under *protocol*; the same three always give the same answer.

    Timers run out with ticks only, each at its own due time: whoever ticks knows that nothing is on its
    way that belongs before. Replayed data, which nobody ticks, lets them run out itself. *is_conflict* says
    that the store knows another value of the same device, sign and time.
    """
    course = Course(chart, protocol)
    said = course.take(item, is_conflict=is_conflict)
    return Evaluation(course.chart, *said)


class Course:
    """One chart through a batch: evaluated input by input, without being made anew for each of them.

    Not for use after `take` has raised: then the chart is neither what it was nor what it would be.
    """

    __slots__ = ("_draft",)

    def __init__(self, chart: Chart, protocol: Protocol) -> None:
        """Begin with *chart*, which stays as it is."""
        self._draft = Draft(chart, protocol)

    @property
    def chart(self) -> Chart:
        """The chart after everything that was taken."""
        return self._draft.chart()

    @property
    def chart_seq(self) -> int:
        """The number of the last input taken."""
        return self._draft.chart_seq

    @property
    def due_ms(self) -> int | None:
        """When the chart wants a tick."""
        return self._draft.due_ms

    @property
    def is_replayed(self) -> bool:
        """Whether the chart's data carries its own time."""
        return self._draft.is_replayed

    @property
    def alarms(self) -> Mapping[str, Alarm]:
        """The alarms that stand, by rule."""
        return self._draft.alarms

    @property
    def devices(self) -> Mapping[str, Device]:
        """The devices at this patient, as they are now."""
        return self._draft.devices

    def take(self, item: Input, *, is_conflict: bool = False) -> Said:
        """Work *item* in; what `evaluate` says of the same chart and item."""
        draft = self._draft
        draft.begin()
        if isinstance(item, Unevaluated):
            tell_unevaluated(draft, item)
            return Said(tuple(draft.alerts))
        adopt(draft)
        verdicts: tuple[Verdict, ...] = ()
        flags: tuple[Flag, ...] = ()
        refusal = None
        device_id = None
        at_ms = _reach(draft, item)
        if draft.alarms and not isinstance(item, Tick):
            end_unevaluated(draft, item)
        if isinstance(item, ObservationSet):
            device_id = item.device_id
            verdicts, flags = take_observations(draft, item, at_ms, is_conflict=is_conflict)
        elif isinstance(item, Command):
            refusal = obey(draft, item)
        draft.due_ms = _due_ms(draft, device_id)
        return Said(
            tuple(draft.alerts), verdicts, flags, tuple(draft.ended), tuple(draft.ward_signals), refusal
        )


def _reach(draft: Draft, item: ObservationSet | Command | Tick) -> int:
    """Bring the chart's clock to the time of *item*, which is returned, and let due timers run out where that is its business."""
    if isinstance(item, Tick):
        at_ms = to_ms(item.at)
        pass_time(draft, at_ms)
    else:
        at_ms = to_ms(item.received_at)
        draft.is_replayed = item.is_replayed
        if item.is_replayed:  # nobody ticks it
            pass_time(draft, at_ms - 1)  # what comes at the very moment it is due is in time
    draft.clock_ms = max(draft.clock_ms, at_ms)
    return at_ms


def _due_ms(draft: Draft, heard_of: str | None) -> int | None:
    """When this chart wants a tick; an earlier moment that still lies ahead is kept, to spare a write.

    Where only the device *heard_of* has changed, only its time can have come before the one known.
    """
    if draft.is_replayed:
        return None
    known = draft.due_ms
    is_ahead = known is not None and draft.clock_ms < known
    if is_ahead and heard_of is not None:
        earliest = overdue_ms(draft.devices[heard_of], draft.protocol.signals)
    else:
        earliest = next_due_ms(draft)
        if earliest is None:
            return None
    return known if is_ahead and (earliest is None or known is None or known <= earliest) else earliest
