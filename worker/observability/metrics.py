"""Every metric the worker serves, in one class; labels are closed sets, never patients."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, ProcessCollector, disable_created_metrics

from worker.observability.alarming import AlarmMetrics
from worker.observability.consuming import ConsumerMetrics
from worker.observability.intake import IntakeMetrics
from worker.observability.publishing import PublishingMetrics
from worker.observability.running import ProcessMetrics


class Metrics(IntakeMetrics, ConsumerMetrics, AlarmMetrics, PublishingMetrics, ProcessMetrics):
    """Every metric of the worker: `metrics.readings_received` is `vigil_readings_received_total`.

    All of a closed label set exists from the start, so that a rate is zero and not absent before the
    first; what is known only later (topics, lanes, partitions) is announced by its owner.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each counter, which nothing here reads
        IntakeMetrics.__init__(self, registry)
        ConsumerMetrics.__init__(self, registry)
        AlarmMetrics.__init__(self, registry)
        PublishingMetrics.__init__(self, registry)
        ProcessMetrics.__init__(self, registry)
        ProcessCollector(registry=registry)

    def expect_topics(self, topics: Iterable[str]) -> None:
        """Let the input *topics* be seen at zero before the first record."""
        for topic in topics:
            self.readings_received.labels(topic=topic)
