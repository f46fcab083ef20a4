"""Histories that Hypothesis makes up: readings, orders and the clock, of one patient."""

from dataclasses import dataclass, replace

from hypothesis import strategies as st

from domain.commands import Admit, Discharge, Move
from domain.observations import ObservationSet, Validity
from domain.unevaluated import Unevaluated
from domain.vital_signs import VitalSign
from tests.builders import a_reading, a_set, an_order, at

# Values on both sides of every edge of the ward's protocol, and what is no value at all.
VALUES = {
    VitalSign.SPO2: (97, 93, 92, 91, 85, 84, 80, 79, 0),
    VitalSign.HEART_RATE: (80, 46, 45, 40, 34, 125, 126, 131, 161, 0),
    VitalSign.RESPIRATORY_RATE: (16, 10, 9, 8, 5, 23, 24, 25, 37, 0),
    VitalSign.SYSTOLIC_PRESSURE: (120, 96, 95, 90, 79, 220, 0),
    VitalSign.BODY_TEMPERATURE: (36.8, 35.0, 35.4, 39.1, 38.8, 38.7, 8388607),
    VitalSign.GCS: (15, 14, 13, 9, 8),
}
DEVICES = ("monitor", "trolley")


@dataclass(frozen=True)
class Seen:
    """What a device saw, wherever it stands in the log."""

    second: int
    device: str
    is_streamed: bool
    values: tuple[tuple[VitalSign, float, Validity], ...]

    def received(self, second: float) -> ObservationSet:
        readings = [
            a_reading(
                sign, value, key=(self.second, self.device), **({} if valid else {"validity": validity})
            )
            for sign, value, validity in self.values
            for valid in [validity is Validity.VALID]
        ]
        return a_set(self.second, readings, received=second, device=self.device, streamed=self.is_streamed)


def seen(span: int, signs: tuple[VitalSign, ...] = tuple(VALUES)) -> st.SearchStrategy[Seen]:
    validity = st.sampled_from([Validity.VALID] * 4 + [Validity.QUESTIONABLE, Validity.INVALID])
    one = st.sampled_from(signs).flatmap(
        lambda sign: st.tuples(st.just(sign), st.sampled_from(VALUES[sign]), validity)
    )
    values = st.lists(one, min_size=1, max_size=3, unique_by=lambda each: each[0]).map(tuple)
    return st.builds(
        Seen,
        second=st.integers(0, span),
        device=st.sampled_from(DEVICES),
        is_streamed=st.sampled_from([True, True, False]),
        values=values,
    )


def reshuffled(span: int = 60) -> st.SearchStrategy[tuple[list[Seen], list[Seen]]]:
    """A patient's minute in its order, and the same with everything moved about and some of it twice."""
    signs = st.sampled_from([(sign,) for sign in VALUES])
    minute = signs.flatmap(lambda each: st.lists(seen(span, each), min_size=1, max_size=8, unique_by=_moment))

    def moved(minute: list[Seen]) -> st.SearchStrategy[tuple[list[Seen], list[Seen]]]:
        ordered = sorted(minute, key=lambda each: each.second)
        again = st.lists(st.sampled_from(minute), max_size=3)
        return again.flatmap(lambda twice: st.permutations(minute + twice)).map(
            lambda other: (ordered, other)
        )

    return minute.flatmap(moved)


def _moment(each: Seen) -> tuple[int, str]:
    return each.second, each.device


@st.composite
def histories(draw: st.DrawFn, size: int = 25) -> list[object]:
    """Sets, orders and the passing of time, each later in the log than the one before."""
    clock, items = 0.0, []
    for number in range(draw(st.integers(1, size))):
        clock += draw(st.sampled_from([0.2, 1, 1, 5, 20, 60, 200]))
        items.append(_item(draw, clock, number))
    return items


def _item(draw: st.DrawFn, clock: float, number: int) -> object:
    kind = draw(st.sampled_from(["set"] * 8 + ["admit", "move", "discharge", "tick", "failing"]))
    if kind == "tick":
        return clock
    if kind == "failing":
        return Unevaluated(at=at(clock), device_id=draw(st.sampled_from(["monitor", "trolley", None])))
    if kind == "set":
        late = draw(st.sampled_from([0, 0, 0, 3, 50, 90, 2000, -90]))
        return replace(draw(seen(1)), second=int(clock) - late).received(clock)
    orders = {
        "admit": (Admit, {"ward": "7b", "bed": str(number)}),
        "move": (Move, {"ward": "8a", "bed": str(number)}),
        "discharge": (Discharge, {}),
    }
    order, details = orders[kind]
    return an_order(order, clock, **details)
