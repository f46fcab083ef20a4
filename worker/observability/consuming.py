"""Metrics of the consumer: how far behind it is, what it holds, where its time goes."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from worker.observability.labels import CommitStatus, LoopPhase, PauseReason, ProbeOutcome, RebalanceEvent

BATCH_SECONDS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
BATCH_RECORDS_BUCKETS = (1.0, 5.0, 10.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10000.0)


class ConsumerMetrics:
    """How the input topics are being read."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._declare_positions(registry)
        self._declare_events(registry)
        self._declare_batches(registry)
        self._show_consumer_at_zero()

    def _declare_positions(self, registry: CollectorRegistry) -> None:
        self.consumer_lag_records = Gauge(
            "vigil_consumer_lag_records",
            "Records in the log that this worker has not handled yet, per partition it holds.",
            ["topic", "partition"],
            registry=registry,
        )
        self.consumer_lag_seconds = Gauge(
            "vigil_consumer_lag_seconds",
            "Age of the newest record handled while others wait behind it; 0 when none waits.",
            ["topic", "partition"],
            registry=registry,
        )
        self.consumer_assigned_partitions = Gauge(
            "vigil_consumer_assigned_partitions",
            "Input partitions this worker holds.",
            registry=registry,
        )
        self.consumer_paused = Gauge(
            "vigil_consumer_paused",
            "Input partitions that are not being read from, by reason.",
            ["reason"],
            registry=registry,
        )
        self.consumer_last_poll_timestamp_seconds = Gauge(
            "vigil_consumer_last_poll_timestamp_seconds",
            "When the consumer last asked for records, in seconds since 1970.",
            registry=registry,
        )

    def _declare_events(self, registry: CollectorRegistry) -> None:
        self.consumer_rebalances = Counter(
            "vigil_consumer_rebalances_total",
            "Times that partitions were given to or taken from this worker.",
            ["event"],
            registry=registry,
        )
        self.consumer_commit = Counter(
            "vigil_consumer_commit_total",
            "Commits of the group's offsets, which exist so that lag can be seen, by how they ended.",
            ["status"],
            registry=registry,
        )
        self.consumer_offset_gap_records = Counter(
            "vigil_consumer_offset_gap_records_total",
            "Offsets that were deleted from the log before they were read; whatever was there was not seen.",
            registry=registry,
        )
        self.input_probes = Counter(
            "vigil_input_probes_total",
            "Looks at partitions that are paused because nothing on them could be used, by what they found.",
            ["outcome"],
            registry=registry,
        )
        self.claims_lost = Counter(
            "vigil_claims_lost_total",
            "Batches given up because another worker had taken their partition.",
            registry=registry,
        )

    def _declare_batches(self, registry: CollectorRegistry) -> None:
        self.loop_seconds = Counter(
            "vigil_loop_seconds_total",
            "Where the worker's time goes, by phase.",
            ["phase"],
            registry=registry,
        )
        self.batch_seconds = Histogram(
            "vigil_batch_seconds",
            "Time from receiving a batch to its commit in the database.",
            buckets=BATCH_SECONDS_BUCKETS,
            registry=registry,
        )
        self.batch_records = Histogram(
            "vigil_batch_records",
            "Records in a batch.",
            buckets=BATCH_RECORDS_BUCKETS,
            registry=registry,
        )

    def forget_partition(self, topic: str, partition: int) -> None:
        """Stop reporting a partition that another worker holds now; its last lag would stand for ever."""
        for gauge in (self.consumer_lag_records, self.consumer_lag_seconds):
            gauge.remove_by_labels({"topic": topic, "partition": str(partition)})

    def _show_consumer_at_zero(self) -> None:
        for reason in PauseReason:
            self.consumer_paused.labels(reason=reason)
        for outcome in ProbeOutcome:
            self.input_probes.labels(outcome=outcome)
        for event in RebalanceEvent:
            self.consumer_rebalances.labels(event=event)
        for status in CommitStatus:
            self.consumer_commit.labels(status=status)
        for phase in LoopPhase:
            self.loop_seconds.labels(phase=phase)
