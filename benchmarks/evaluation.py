"""What one reading costs in pure Python, without broker or database: decode, evaluate, write the chart.

Usage: python -m benchmarks.evaluation
"""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import orjson
from rich.console import Console
from rich.table import Table

from benchmarks.ward import Message, Ward
from domain.chart import Chart
from domain.chart_form import chart_from_form, chart_to_form
from domain.evaluation import evaluate
from domain.observations import Mode, ObservationSet
from domain.protocol import Protocol
from worker.messages.readings import decode_reading_record
from worker.protocols import load_protocol

_BEDS = 20
_START_MS = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1000
_WARM_UP_TURNS = 140  # readings per bed before the first that is timed: two minutes and a bit
_TURNS = 70
_ROUNDS = 15


@dataclass(frozen=True, slots=True)
class LogRecord:
    """A record as the consumer hands it over."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


Charts = dict[str, Chart]
_Item = TypeVar("_Item")


def main() -> None:
    """Print the median cost of each step, in microseconds."""
    protocol = load_protocol("ward-adult")
    ward = Ward(_BEDS, alarming_share=0)
    charts = {
        f"P-{bed:04d}": Chart(patient_id=f"P-{bed:04d}", mode=Mode.REAL, lane=0) for bed in range(_BEDS)
    }
    clock = _Clock()
    _evaluate_all(charts, _decoded(list(ward.full_sets(clock.next_turn()))), protocol)
    _evaluate_all(charts, _decoded(_singles(ward, clock, _WARM_UP_TURNS)), protocol)
    rounds = [_singles(ward, clock, _TURNS) for _ in range(_ROUNDS)]
    decoding = _median_us(_decoded, rounds)
    evaluating = _median_us(
        lambda sets: _evaluate_all(charts, sets, protocol), [_decoded(each) for each in rounds]
    )
    full = [_decoded(list(ward.full_sets(clock.next_turn()))) for _ in range(_ROUNDS)]
    evaluating_sets = _median_us(lambda sets: _evaluate_all(charts, sets, protocol), full)
    writing = _median_us(_write, [list(charts.values())] * _ROUNDS)
    reading = _median_us(_read, [list(charts.values())] * _ROUNDS) - writing
    _show(
        {
            "decode one reading": decoding,
            "evaluate one reading, no band changes": evaluating,
            "evaluate a set of seven signs": evaluating_sets,
            "write a chart as JSON": writing,
            "read a chart from JSON": reading,
        },
        len(_form(next(iter(charts.values())))),
    )


class _Clock:
    """The ward's time: every turn gives each bed its second."""

    def __init__(self) -> None:
        self._now_ms = _START_MS

    def next_turn(self) -> int:
        self._now_ms += 1000
        return self._now_ms


def _singles(ward: Ward, clock: _Clock, turns: int) -> list[Message]:
    return [
        ward.next_reading(at_ms) for at_ms in (clock.next_turn() for _ in range(turns)) for _ in range(_BEDS)
    ]


def _decoded(messages: Sequence[Message]) -> list[ObservationSet]:
    records = [
        LogRecord("readings", 0, 0, each.observed_ms + 40, each.patient_id.encode(), each.value)
        for each in messages
    ]
    return [found for record in records if (found := decode_reading_record(record).observation)]


def _evaluate_all(charts: Charts, sets: Sequence[ObservationSet], protocol: Protocol) -> None:
    for observation in sets:
        charts[observation.patient_id] = evaluate(charts[observation.patient_id], observation, protocol).chart


def _form(chart: Chart) -> bytes:
    return orjson.dumps(chart_to_form(chart), option=orjson.OPT_NON_STR_KEYS)  # as the chart is stored


def _write(charts: Sequence[Chart]) -> None:
    for chart in charts:
        _form(chart)


def _read(charts: Sequence[Chart]) -> None:
    for chart in charts:
        form = orjson.loads(_form(chart))
        chart_from_form(form, patient_id=chart.patient_id, mode=chart.mode, lane=0, chart_seq=chart.chart_seq)


def _median_us(step: Callable[[list[_Item]], object], rounds: Sequence[list[_Item]]) -> float:
    """Return the median, over *rounds*, of what *step* takes for one item."""
    costs = []
    for items in rounds:
        start = time.perf_counter_ns()
        step(items)
        costs.append((time.perf_counter_ns() - start) / 1000 / len(items))
    return statistics.median(costs)


def _show(costs: dict[str, float], form_bytes: int) -> None:
    table = Table(
        "", "µs", title=f"Cost per step, median; a chart is {form_bytes:,} bytes", title_justify="left"
    )
    table.columns[1].justify = "right"
    for step, cost in costs.items():
        table.add_row(step, f"{cost:,.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
