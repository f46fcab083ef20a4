"""Metrics of what goes out: the outbox, the lanes, and how long an alert took."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from domain.alarms import Priority
from worker.observability.labels import TransactionOutcome

# From the best that can be (a few milliseconds) to the worst that must be told apart (an hour).
ALERT_BUCKETS = (
    0.005, 0.01, 0.015, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5,
    1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 1800.0, 3600.0,
)  # fmt: skip
TRANSACTION_BUCKETS = (0.0025, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class PublishingMetrics:
    """Whether what was decided has been said, and how soon."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._declare_outbox(registry)
        self._declare_lanes(registry)
        for priority in Priority:
            self.measurement_to_alert_seconds.labels(priority=priority.word)
            self.received_to_alert_seconds.labels(priority=priority.word)
        for outcome in TransactionOutcome:
            self.publisher_transactions.labels(outcome=outcome)

    def _declare_outbox(self, registry: CollectorRegistry) -> None:
        self.outbox_pending = Gauge(
            "vigil_outbox_pending",
            "Recorded and not yet published records of a lane this worker holds.",
            ["lane"],
            registry=registry,
        )
        self.outbox_oldest_age_seconds = Gauge(
            "vigil_outbox_oldest_age_seconds",
            "Age of the oldest recorded and not yet published record in the lanes of this worker; 0 when none waits.",
            registry=registry,
        )
        self.measurement_to_alert_seconds = Histogram(
            "vigil_measurement_to_alert_seconds",
            "Time from the observation that led to an alert to the alert's publication, on-delays included.",
            ["priority"],
            buckets=ALERT_BUCKETS,
            registry=registry,
        )
        self.received_to_alert_seconds = Histogram(
            "vigil_received_to_alert_seconds",
            "Time from the arrival in the log of the record that led to an alert to the alert's publication.",
            ["priority"],
            buckets=ALERT_BUCKETS,
            registry=registry,
        )

    def _declare_lanes(self, registry: CollectorRegistry) -> None:
        self.publisher_transactions = Counter(
            "vigil_publisher_transactions_total",
            "Kafka transactions of the lanes' publishers, by how they ended.",
            ["outcome"],
            registry=registry,
        )
        self.publisher_transaction_seconds = Histogram(
            "vigil_publisher_transaction_seconds",
            "Duration of a publisher's Kafka transaction.",
            buckets=TRANSACTION_BUCKETS,
            registry=registry,
        )
        self.lanes_held = Gauge(
            "vigil_lanes_held",
            "Lanes whose alerts this worker publishes.",
            registry=registry,
        )
        self.lane_stopped = Gauge(
            "vigil_lane_stopped",
            "1 for a lane that has stopped and waits for a person, 0 for one that publishes.",
            ["lane"],
            registry=registry,
        )
        self.heartbeat_last_success_timestamp_seconds = Gauge(
            "vigil_heartbeat_last_success_timestamp_seconds",
            "When the heartbeat of the most neglected lane of this worker was last published, in seconds since 1970.",
            registry=registry,
        )

    def forget_lane(self, lane: int) -> None:
        """Stop reporting a lane that another worker holds now."""
        for gauge in (self.outbox_pending, self.lane_stopped):
            gauge.remove_by_labels({"lane": str(lane)})
