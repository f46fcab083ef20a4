"""What only the supervisor of several processes can tell: whether each of them answers."""

from prometheus_client import CollectorRegistry, Gauge


class SupervisorMetrics:
    """How the processes of a worker are."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.process_up = Gauge(
            "vigil_process_up",
            "1 for a process that answered the supervisor just now, 0 for one that did not.",
            ["process"],
            registry=registry,
        )
