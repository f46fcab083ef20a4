"""Writes METRICS.md: the metrics as an interface, from the code that declares them."""

from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from worker.observability.metrics import Metrics
from worker.observability.supervising import SupervisorMetrics

PAGE = Path(__file__).parent / "METRICS.md"
_HEAD = """# Metrics

What the worker serves at `/metrics`; made by `python -m worker.observability.metrics_page`, a test keeps it equal. Names, labels and
meanings are an interface: a change of one stands in the changelog. Labels are closed sets: no patient, device or bed is ever one.
A worker of several processes (`VIGIL_PROCESSES`) serves the metrics of all of them, each with one more label, `process`: its number, or
`supervisor` for `process_*` of the parent. `vigil_process_up` is there then, too.
Beside these: `faststream_*` of FastStream's middleware, by batch (its sizes are 0: it would join all bodies to measure them, and is
given none), and `process_*` of the Prometheus client.

| metric | type | labels | what it tells |
|---|---|---|---|
"""


def page() -> str:
    """Return the page's text."""
    declared = [
        each
        for metrics in (Metrics(CollectorRegistry()), SupervisorMetrics(CollectorRegistry()))
        for each in vars(metrics).values()
    ]
    return _HEAD + "".join(sorted(_row(each) for each in declared if isinstance(each, MetricWrapperBase)))


def _row(metric: MetricWrapperBase) -> str:
    [described] = metric.describe()
    name = f"{described.name}_total" if described.type == "counter" else described.name
    labels = ", ".join(f"`{label}`" for label in metric._labelnames)  # noqa: SLF001  the client shows them nowhere else
    return f"| `{name}` | {described.type} | {labels} | {described.documentation} |\n"


if __name__ == "__main__":
    PAGE.write_text(page())
