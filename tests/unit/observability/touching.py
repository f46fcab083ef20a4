"""Every series of a Metrics, moved, as a worker that does everything would."""

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

# What is known only at run time, with an example.
UNBORN = {
    "readings_received": ["vitals.readings.v1"],
    "consumer_lag_records": ["vitals.readings.v1", "0"],
    "consumer_lag_seconds": ["vitals.readings.v1", "0"],
    "outbox_pending": ["0"],
    "lane_stopped": ["0"],
    "ruleset_info": ["ward-adult", "1", "ab"],
    "build_info": ["0.1.0"],
    "patients_watched": ["7B", "real", "not_watched"],
}


def declared(metrics):
    """Return the metrics by the attribute they are called by."""
    return {name: metric for name, metric in vars(metrics).items() if isinstance(metric, MetricWrapperBase)}


def touch(metrics):
    """Move every series once."""
    for name, metric in declared(metrics).items():
        if name in UNBORN:
            _move(metric.labels(*UNBORN[name]))
        elif metric._labelnames:
            for child in list(metric._metrics.values()):
                _move(child)
        elif name != "time_seconds":
            _move(metric)


def _move(metric):
    if isinstance(metric, Counter):
        metric.inc()
    elif isinstance(metric, Gauge):
        metric.set(1)
    elif isinstance(metric, Histogram):
        metric.observe(0.02)
