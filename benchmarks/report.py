"""The figures as a table for a person and as JSON for a program."""

import statistics
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from benchmarks.draining import Drain
from benchmarks.latency import Latency, LatencyPlan
from benchmarks.throughput import Plan, Throughput, median_rate, processes_of
from worker.supervision.counting import AUTO

SHIPPED, ONE_PROCESS = "Vigil", "Vigil, one process"
LATENCIES = {"latency": SHIPPED, "latency_one_process": ONE_PROCESS}


def throughput_figures(result: Throughput, plan: Plan) -> dict[str, Any]:
    """Return the medians, their ratios and every run behind them."""
    vigil, floor = median_rate(result.vigil), median_rate(result.floor)
    tutorial, auto_commit = median_rate(result.tutorial), median_rate(result.tutorial_auto_commit)
    return {
        "readings_per_s": round(vigil),
        "cpu_us_per_reading": _median_cost(result.vigil),
        "processes": processes_of(AUTO, plan.partitions),
        "one_process": {
            "readings_per_s": round(median_rate(result.one_process)),
            "cpu_us_per_reading": _median_cost(result.one_process),
        },
        "ratio_to_one_process": round(vigil / median_rate(result.one_process), 2),
        "ratio_to_tutorial": round(vigil / tutorial, 1),
        "ratio_to_tutorial_auto_commit": round(vigil / auto_commit, 1),
        "ratio_to_floor": round(vigil / floor, 3),
        "tutorial_readings_per_s": round(tutorial, 1),
        "tutorial_auto_commit_readings_per_s": round(auto_commit, 1),
        "floor_readings_per_s": round(floor),
        "alarming_readings": result.alarming,
        "alarming_readings_without_alert": result.unanswered,
        "backlog": plan.readings,
        "tutorial_backlog": plan.tutorial_readings,
        "patients": plan.patients,
        "partitions": plan.partitions,
        "runs": {
            "vigil": _runs(result.vigil),
            "one_process": _runs(result.one_process),
            "floor": _runs(result.floor),
            "tutorial": _runs(result.tutorial),
            "tutorial_auto_commit": _runs(result.tutorial_auto_commit),
        },
    }


def _median_cost(drains: Sequence[Drain]) -> float:
    return round(statistics.median(each.cpu_us_per_reading for each in drains), 1)


def _runs(drains: Sequence[Drain]) -> list[dict[str, float]]:
    return [
        {
            "readings_per_s": round(each.readings_per_s, 1),
            "transactions": each.transactions,
            "polled_seconds": round(each.polled_seconds, 2),
            "cpu_us_per_reading": round(each.cpu_us_per_reading, 1),
        }
        for each in drains
    ]


def latency_figures(results: Sequence[Latency], plan: LatencyPlan) -> dict[str, Any]:
    """Return the percentiles of each rate, in milliseconds."""
    return {
        str(each.published.rate): {
            "p50_ms": round(each.percentile(50), 2),
            "p99_ms": round(each.percentile(99), 2),
            "p999_ms": round(each.percentile(99.9), 2),
            "max_ms": round(each.percentile(100), 2),
            "alarming_readings": len(each.published.sent),
            "alarming_readings_without_alert": each.unanswered,
            "seconds": plan.seconds,
            "published_readings_per_s": round(each.published.readings_per_s, 1),
            "publisher_behind_p99_ms": round(each.published.behind_p99_ms, 2),
        }
        for each in results
    }


def throughput_table(figures: dict[str, Any]) -> Table:
    """Lay the rates out beside Vigil's ratio to each."""
    table = _table(
        f"Throughput: {figures['backlog']:,} readings of {figures['patients']} patients, "
        f"worker of {_processes(figures['processes'])}"
    )
    for column in ("readings/s", "Vigil's ratio"):
        table.add_column(column, justify="right")
    table.add_row(SHIPPED, f"{figures['readings_per_s']:,}", "")
    one = figures["one_process"]["readings_per_s"]
    table.add_row(ONE_PROCESS, f"{one:,}", f"{figures['ratio_to_one_process']:,}")
    for title, name in (
        ("the floor: getmany, orjson, COPY", "floor"),
        ("the tutorial way", "tutorial"),
        ("the tutorial way with auto-commit", "tutorial_auto_commit"),
    ):
        table.add_row(title, f"{figures[f'{name}_readings_per_s']:,}", f"{figures[f'ratio_to_{name}']:,}")
    return table


def latency_table(latencies: dict[str, dict[str, Any]]) -> Table:
    """Lay the percentiles out, a row per rate and number of processes."""
    table = _table("Latency in ms: alarming reading published to alert read (read_committed)")
    for column in ("at/s", "p50", "p99", "p99.9", "max", "alerts", "missing"):
        table.add_column(column, justify="right")
    for name, rate, row in (
        (name, rate, row) for name, rates in latencies.items() for rate, row in rates.items()
    ):
        times = [f"{row[f'{name}_ms']:,.1f}" for name in ("p50", "p99", "p999", "max")]
        missing = row["alarming_readings_without_alert"]
        answered = row["alarming_readings"] - missing
        table.add_row(LATENCIES[name], f"{int(rate):,}", *times, str(answered), str(missing))
    return table


def _processes(number: int) -> str:
    return "one process" if number == 1 else f"{number} processes"


def _table(title: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("")
    return table
