"""Metrics of the process itself: is it ready, does it keep up, what is it."""

import time

from prometheus_client import CollectorRegistry, Counter, Gauge

from persistence.errors import ErrorClass


class ProcessMetrics:
    """How the worker is."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.ready = Gauge(
            "vigil_ready",
            "1 while the worker is ready (broker, database, lanes), else 0.",
            registry=registry,
        )
        self.event_loop_lag_seconds = Gauge(
            "vigil_event_loop_lag_seconds",
            "How much later than asked for the event loop came back, at the worst of its last 50 turns.",
            registry=registry,
        )
        self.watchdog_last_pass_timestamp_seconds = Gauge(
            "vigil_watchdog_last_pass_timestamp_seconds",
            "When the watchdog last found every part of the worker alive, in seconds since 1970.",
            registry=registry,
        )
        self.db_errors = Counter(
            "vigil_db_errors_total",
            "Errors the database gave, by class.",
            ["class"],
            registry=registry,
        )
        self.build_info = Gauge(
            "vigil_build_info",
            "The version that runs; always 1.",
            ["version"],
            registry=registry,
        )
        self.time_seconds = Gauge(
            "vigil_time_seconds",
            "The worker's clock, in seconds since 1970: Prometheus compares it with its own.",
            registry=registry,
        )
        self.time_seconds.set_function(time.time)
        for error_class in ErrorClass:
            self.db_errors.labels(error_class)
