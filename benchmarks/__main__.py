"""`python -m benchmarks`: measure Vigil, beside the tutorial way and the floor, on a real broker and database."""

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from benchmarks import machine, report
from benchmarks.latency import LatencyPlan, measure_latency
from benchmarks.profiling import profile_drain
from benchmarks.programs import ProgramFailedError
from benchmarks.throughput import Place, Plan, measure_throughput
from deploy.local import LocalServiceError, local_services
from deploy.local.workspace import Workspace
from worker.supervision.counting import AUTO

RESULTS = Path(__file__).parent / "results"
QUICK = Plan(readings=2_000, tutorial_readings=100, auto_commit_readings=200, patients=50, repeat=1)
QUICK_LATENCY = LatencyPlan(rates=(200,), seconds=3, warm_up_seconds=1, patients=50)
_ALERT_MISSING = 1
_COULD_NOT_MEASURE = 3

app = typer.Typer(add_completion=False)
console = Console(stderr=True)


@app.command()
def main(
    *,
    quick: Annotated[bool, typer.Option(help="A small run that shows only that all of it works.")] = False,
    repeat: Annotated[int, typer.Option(help="How often throughput is measured; medians are told.")] = 3,
    latency: Annotated[bool, typer.Option(help="Measure latency.")] = True,
    profile: Annotated[
        bool, typer.Option(help="Only profile the worker: benchmarks/results/profile.txt.")
    ] = False,
    output: Annotated[Path | None, typer.Option(help="Where the JSON goes.")] = None,
) -> None:
    """Measure throughput and latency with everything on this machine, fsync and synchronous_commit on."""
    plan = QUICK if quick else Plan(repeat=repeat)
    latency_plan = (QUICK_LATENCY if quick else LatencyPlan()) if latency else None
    try:
        with local_services() as services, Workspace() as workspace:
            place = Place(services, workspace, _say)
            machine.assert_durable(services.postgres.dsn)
            if profile:
                profile_drain(place, plan, RESULTS)
                return
            figures = measure(place, plan, latency_plan)
    except (LocalServiceError, ProgramFailedError) as error:
        console.print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(_COULD_NOT_MEASURE) from None
    _write(figures, output or RESULTS / ("quick.json" if quick else "latest.json"))
    _show(figures)
    if quick:
        console.print("a quick run shows that all of it works; its figures mean nothing", style="dim")


def measure(place: Place, plan: Plan, latency_plan: LatencyPlan | None) -> dict[str, Any]:
    """Return all figures, with the machine they were measured on."""
    figures: dict[str, Any] = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine.describe(place.services),
    }
    figures["throughput"] = report.throughput_figures(measure_throughput(place, plan), plan)
    if latency_plan:
        for name, processes in (("latency", AUTO), ("latency_one_process", "1")):
            rates = ", ".join(f"{rate:,}" for rate in latency_plan.rates)
            place.say(f"latency, processes {processes}: {rates} readings/s")
            results = measure_latency(place, latency_plan, processes)
            figures[name] = report.latency_figures(results, latency_plan)
    return figures


def _show(figures: dict[str, Any]) -> None:
    out = Console()
    out.print(report.throughput_table(figures["throughput"]))
    latencies = {name: figures[name] for name in report.LATENCIES if name in figures}
    if latencies:
        out.print(report.latency_table(latencies))
    measured = [figures["throughput"], *(rate for each in latencies.values() for rate in each.values())]
    if missing := sum(each["alarming_readings_without_alert"] for each in measured):
        console.print(f"{missing} alarming readings got no alert in time", style="red")
        raise typer.Exit(_ALERT_MISSING)


def _write(figures: dict[str, Any], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n")
    console.print(f"written to {os.path.relpath(path)}", style="dim", soft_wrap=True)


_BEGAN = time.monotonic()


def _say(text: str) -> None:
    console.print(f"{time.monotonic() - _BEGAN:6.1f} s  {text}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    app()
