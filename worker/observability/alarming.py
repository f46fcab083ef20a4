"""Metrics of evaluation: verdicts, alarms, alerts, timers, and the protocol in force."""

from itertools import product

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from domain.alarms import AlarmState, Kind, Priority
from domain.alerts import Phase, Reason
from domain.limit_alarms import Verdict
from domain.observations import Mode
from domain.watch import WatchReason

EVALUATION_BUCKETS = (0.000001, 0.0000025, 0.000005, 0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.001, 0.01)
PASS_BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

STANDING = (AlarmState.ACTIVE, AlarmState.ACKNOWLEDGED, AlarmState.LATCHED)
"""The states of an alarm that has been announced and is not over."""


class AlarmMetrics:
    """What was decided about the patients, never about which of them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._declare_evaluation(registry)
        self._declare_alarms(registry)
        self._declare_watching(registry)
        self._show_alarms_at_zero()

    def _declare_evaluation(self, registry: CollectorRegistry) -> None:
        self.evaluation_seconds = Histogram(
            "vigil_evaluation_seconds",
            "Time to evaluate one observation set; one observation per batch, of its mean.",
            buckets=EVALUATION_BUCKETS,
            registry=registry,
        )
        self.evaluations = Counter(
            "vigil_evaluations_total",
            "Readings evaluated, by verdict.",
            ["verdict"],
            registry=registry,
        )
        self.ticks = Counter(
            "vigil_ticks_total",
            "Charts whose timer was due and has been evaluated.",
            registry=registry,
        )
        self.timers_pass_seconds = Histogram(
            "vigil_timers_pass_seconds",
            "Duration of one pass over the charts whose timers are due.",
            buckets=PASS_BUCKETS,
            registry=registry,
        )
        self.ruleset_info = Gauge(
            "vigil_ruleset_info",
            "The protocol in force, with the hash of its text; always 1.",
            ["protocol", "version", "hash"],
            registry=registry,
        )

    def _declare_alarms(self, registry: CollectorRegistry) -> None:
        self.alarms_active = Gauge(
            "vigil_alarms_active",
            "Alarms that stand in the lanes of this worker.",
            ["priority", "kind", "state"],
            registry=registry,
        )
        self.alerts = Counter(
            "vigil_alerts_total",
            "Alerts recorded for publishing.",
            ["phase", "priority", "kind", "mode"],
            registry=registry,
        )
        self.alert_reasons = Counter(
            "vigil_alert_reasons_total",
            "Alerts recorded for publishing, by why they were given.",
            ["reason"],
            registry=registry,
        )

    def _declare_watching(self, registry: CollectorRegistry) -> None:
        self.patients_watched = Gauge(
            "vigil_patients_watched",
            "Admitted patients in the lanes of this worker, by ward and by how they are watched.",
            ["ward", "mode", "state"],
            registry=registry,
        )
        self.unwatched_seconds = Counter(
            "vigil_unwatched_seconds_total",
            "Time for which nobody watched the patients of a lane, counted when somebody does again, by reason.",
            ["reason"],
            registry=registry,
        )
        for reason in WatchReason:
            self.unwatched_seconds.labels(reason=reason)

    def _show_alarms_at_zero(self) -> None:
        for priority, kind, state in product(Priority, Kind, STANDING):
            self.alarms_active.labels(priority=priority.word, kind=kind, state=state)
        for phase, priority, kind, mode in product(Phase, Priority, Kind, Mode):
            self.alerts.labels(phase=phase, priority=priority.word, kind=kind, mode=mode)
        for verdict in Verdict:
            self.evaluations.labels(verdict=verdict)
        for reason in Reason:
            self.alert_reasons.labels(reason=reason)
