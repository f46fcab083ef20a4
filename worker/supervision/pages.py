"""Makes one page of what the processes of a worker answer; it decides, and asks nobody."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from prometheus_client import CollectorRegistry, Metric, ProcessCollector, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from worker.observability.supervising import SupervisorMetrics

LABEL = "process"
SUPERVISOR = "supervisor"
_SUMMED = ("assigned_partitions", "lanes_held")


class _Merged(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def metrics_page(pages: Mapping[int, str | None]) -> bytes:
    """The metrics of all processes, each sample with its process; None stands for one that did not answer."""
    own = CollectorRegistry()
    ProcessCollector(registry=own)
    families: dict[str, Metric] = {}
    for name, page in ((SUPERVISOR, generate_latest(own).decode()), *pages.items()):
        for family in text_string_to_metric_families(page or ""):
            kept = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            kept.samples += (
                each._replace(labels={**each.labels, LABEL: str(name)}) for each in family.samples
            )
    together = CollectorRegistry()
    up = SupervisorMetrics(together).process_up
    for number, page in pages.items():
        up.labels(process=number).set(page is not None)
    together.register(_Merged(families.values()))
    return generate_latest(together)


def ready_report(reports: Mapping[int, Mapping[str, Any] | str]) -> dict[str, object]:
    """What `/health/ready` says; of a process that has no report there are words instead."""
    told = {number: report for number, report in reports.items() if not isinstance(report, str)}
    reasons = [
        f"process {number}: {reason}"
        for number, report in sorted(reports.items())
        for reason in ([report] if isinstance(report, str) else report["reasons"])
    ]
    return {
        "ready": not reasons,
        "reasons": reasons,
        **{name: sum(report[name] for report in told.values()) for name in _SUMMED},
        "lanes_stopped": sorted(lane for report in told.values() for lane in report["lanes_stopped"]),
        "processes": {str(number): report for number, report in told.items()},
    }


def report_in(body: bytes) -> Mapping[str, Any]:
    """The report that a process has sent."""
    report: Mapping[str, Any] = orjson.loads(body)
    return report
