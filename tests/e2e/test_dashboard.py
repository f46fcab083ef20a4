"""The dashboard's and the rules' queries, asked of a real Prometheus that scraped what the worker serves."""

import json
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client import CollectorRegistry, start_http_server

from deploy.local import ServiceUnavailableError
from deploy.local.processes import LOOPBACK, free_port
from deploy.local.prometheus import find_prometheus, prometheus
from tests.e2e.dashboard_queries import queries, without_data
from tests.unit.observability.touching import touch
from worker.observability.metrics import Metrics

ROOT = Path(__file__).parents[2]
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "dashboards" / "vigil.json").read_text())

pytestmark = pytest.mark.services


@contextmanager
def a_busy_registry():
    """Serve a registry in which every series moves, as a worker that does everything would."""
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    touch(metrics)
    port, stop = free_port(), threading.Event()
    server, thread = start_http_server(port, LOOPBACK, registry=registry)

    def move():
        while not stop.wait(0.2):
            touch(metrics)

    mover = threading.Thread(target=move)
    mover.start()
    try:
        yield f"{LOOPBACK}:{port}"
    finally:
        stop.set()
        mover.join()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def scraped(prometheus_program):
    """A Prometheus that has scraped every series."""
    with a_busy_registry() as target, prometheus([target], seconds=0.5) as server:
        yield server


def ask(server, path):
    with urlopen(f"{server.url}{path}", timeout=5) as response:  # noqa: S310  our own
        return json.load(response)["data"]


def wait_until(answer, *, seconds=30):
    deadline = time.monotonic() + seconds
    while not (given := answer()) and time.monotonic() < deadline:
        time.sleep(0.25)
    return given


def test_every_query_of_the_dashboard_gives_data(scraped):
    wait_until(lambda: not without_data(scraped.url, DASHBOARD))

    assert without_data(scraped.url, DASHBOARD) == []
    assert len(queries(DASHBOARD)) > 40


def test_a_query_without_data_is_found(scraped):
    dashboard = {
        "panels": [{"title": "Nothing", "targets": [{"expr": 'vigil_nothing{instance=~"$instance"}'}]}]
    }

    assert [query.panel for query in without_data(scraped.url, dashboard)] == ["Nothing"]


def test_every_shipped_rule_is_loaded_and_can_be_evaluated(scraped):
    def rules():
        return [rule for group in ask(scraped, "/api/v1/rules")["groups"] for rule in group["rules"]]

    wait_until(lambda: all(rule["health"] == "ok" for rule in rules()), seconds=40)

    assert {
        rule["name"]: rule["lastError"] for rule in rules() if rule["health"] != "ok" and "lastError" in rule
    } == {}
    assert len(rules()) > 25


def test_what_stands_wrong_on_the_page_becomes_an_alert(scraped):
    def firing():
        return [
            alert["labels"]["alertname"]
            for alert in ask(scraped, "/api/v1/alerts")["alerts"]
            if alert["state"] == "firing"
        ]

    assert wait_until(lambda: "VigilLaneStopped" in firing(), seconds=40)


def test_no_prometheus_is_told_with_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")

    with pytest.raises(ServiceUnavailableError, match="Debian: prometheus"):
        find_prometheus()
