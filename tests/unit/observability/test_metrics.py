import subprocess

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from domain.limit_alarms import Verdict
from tests.unit.observability.touching import UNBORN, declared, touch
from worker.messages.refusals import EXPLANATIONS
from worker.observability.metrics import Metrics
from worker.observability.metrics_page import PAGE, page

LABELS = {
    "topic", "partition", "lane", "vital", "flag", "stage", "reason", "command", "outcome", "event", "status", "phase",
    "verdict", "priority", "kind", "state", "mode", "protocol", "version", "hash", "class", "acquisition", "ward",
}  # fmt: skip


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def metrics(registry):
    return Metrics(registry)


def served(registry):
    return generate_latest(registry).decode()


def test_an_attribute_is_called_as_its_metric(metrics):
    names = {f"vigil_{name}": metric.describe()[0].name for name, metric in declared(metrics).items()}

    assert names == {name: name for name in names}
    assert len(names) > 40


def test_the_page_of_metrics_is_what_the_code_declares():
    assert PAGE.read_text() == page(), "run python -m worker.observability.metrics_page"


def test_no_label_could_name_a_patient_a_device_or_a_bed(metrics):
    labels = {label for metric in declared(metrics).values() for label in metric._labelnames}

    assert labels <= LABELS


def test_every_closed_set_is_there_before_anything_has_happened(metrics):
    unborn = {
        name for name, metric in declared(metrics).items() if metric._labelnames and not metric._metrics
    }

    assert unborn == set(UNBORN)


def test_every_verdict_and_every_reason_of_a_dead_letter_is_zero_and_not_absent(registry, metrics):
    values = {
        verdict: registry.get_sample_value("vigil_evaluations_total", {"verdict": verdict})
        for verdict in Verdict
    }
    letters = {
        reason: registry.get_sample_value("vigil_dead_letters_total", {"stage": told.stage, "reason": reason})
        for reason, told in EXPLANATIONS.items()
    }

    assert set(values.values()) == {0.0}
    assert set(letters.values()) == {0.0}


def test_expected_topics_are_seen_at_zero(registry, metrics):
    metrics.expect_topics(["a", "b"])

    assert registry.get_sample_value("vigil_readings_received_total", {"topic": "b"}) == 0


def test_a_partition_and_a_lane_given_up_are_no_longer_told_about(registry, metrics):
    metrics.consumer_lag_records.labels(topic="t", partition=1).set(5)
    metrics.consumer_lag_seconds.labels(topic="t", partition=1).set(5)
    metrics.lane_stopped.labels(lane=1).set(1)
    metrics.outbox_pending.labels(lane=1).set(1)
    metrics.lane_stopped.labels(lane=12).set(0)

    metrics.forget_partition("t", 1)
    metrics.forget_lane(1)

    assert 'partition="1"' not in served(registry)
    assert 'lane="1"' not in served(registry)
    assert 'lane="12"' in served(registry)


def test_giving_up_what_was_never_told_about_is_no_error(metrics):
    metrics.forget_partition("t", 1)
    metrics.forget_lane(1)


def test_an_alert_may_take_from_milliseconds_to_an_hour(registry, metrics):
    for seconds in (0.004, 3500):
        metrics.measurement_to_alert_seconds.labels(priority="high").observe(seconds)

    def bucket(le):
        labels = {"priority": "high", "le": le}
        return registry.get_sample_value("vigil_measurement_to_alert_seconds_bucket", labels)

    assert (bucket("0.005"), bucket("1800.0"), bucket("3600.0")) == (1, 1, 2)


def test_prometheus_accepts_what_is_served(registry, metrics, promtool):
    touch(metrics)

    checked = subprocess.run(
        [promtool, "check", "metrics"], input=served(registry), capture_output=True, text=True, check=False
    )

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_prometheus_would_have_refused_a_counter_without_total(promtool):
    page_of_another = "# HELP vigil_x X.\n# TYPE vigil_x counter\nvigil_x 1\n"

    checked = subprocess.run(
        [promtool, "check", "metrics"], input=page_of_another, capture_output=True, text=True, check=False
    )

    assert checked.returncode != 0
