import subprocess

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from tests.unit.observability.touching import touch
from worker.observability.metrics import Metrics
from worker.supervision.pages import metrics_page, ready_report


def a_page():
    registry = CollectorRegistry()
    touch(Metrics(registry))
    return generate_latest(registry).decode()


def samples(page):
    return [sample for family in text_string_to_metric_families(page) for sample in family.samples]


def values(page, name):
    return {sample.labels["process"]: sample.value for sample in samples(page) if sample.name == name}


def test_each_sample_of_each_process_is_there_once_and_says_of_which_it_is():
    one = a_page()

    merged = metrics_page({1: one, 2: one}).decode()

    expected = {
        (sample.name, frozenset({**sample.labels, "process": number}.items()), sample.value)
        for sample in samples(one)
        for number in ("1", "2")
        if not sample.name.startswith("process_")
    }
    found = [
        (sample.name, frozenset(sample.labels.items()), sample.value)
        for sample in samples(merged)
        if not sample.name.startswith("process_") and sample.name != "vigil_process_up"
    ]
    assert set(found) == expected
    assert len(found) == len(expected)


def test_help_and_type_are_said_once():
    lines = metrics_page({1: a_page(), 2: a_page()}).decode().splitlines()

    said = [line for line in lines if line.startswith("#")]
    assert "# TYPE vigil_readings_received_total counter" in said
    assert "# TYPE vigil_batch_seconds histogram" in said
    assert len(said) == len(set(said))


def test_prometheus_accepts_the_page(promtool):
    page = metrics_page({1: a_page(), 2: None, 3: a_page()})

    checked = subprocess.run([promtool, "check", "metrics"], input=page, capture_output=True, check=False)

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_a_process_that_does_not_answer_is_told_of():
    page = metrics_page({1: a_page(), 2: None}).decode()

    assert values(page, "vigil_process_up") == {"1": 1.0, "2": 0.0}
    assert values(page, "vigil_ready") == {"1": 1.0}


def test_the_supervisor_tells_its_own_memory_too():
    page = metrics_page({1: a_page()}).decode()

    assert set(values(page, "process_resident_memory_bytes")) == {"1", "supervisor"}


def a_report(**more):
    return {
        "ready": True, "reasons": [], "assigned_partitions": 6, "lanes_held": 3, "lanes_stopped": [], **more,
    }  # fmt: skip


def test_a_worker_is_ready_when_each_of_its_processes_is():
    report = ready_report({1: a_report(), 2: a_report(lanes_held=2)})

    assert report["ready"] is True
    assert report["reasons"] == []
    assert (report["assigned_partitions"], report["lanes_held"]) == (12, 5)


def test_each_reason_names_its_process():
    failing = a_report(ready=False, reasons=["the database does not answer", "stopping"], lanes_stopped=[4])

    report = ready_report({1: a_report(), 2: failing, 3: "does not answer"})

    assert report["ready"] is False
    assert report["reasons"] == [
        "process 2: the database does not answer",
        "process 2: stopping",
        "process 3: does not answer",
    ]
    assert report["lanes_stopped"] == [4]
    assert report["processes"] == {"1": a_report(), "2": failing}
