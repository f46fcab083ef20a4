"""The whole way to the operator's screen: a worker under load, a real Prometheus, and every query of the dashboard."""

import io
import json
import subprocess
import time
import urllib.request
from datetime import UTC, datetime
from itertools import count

import pytest
from confluent_kafka import Producer
from rich.console import Console

from deploy.local.prometheus import prometheus
from deploy.local.vigil import VIGIL, worker
from deploy.local.workspace import Workspace
from tests.e2e.dashboard_queries import without_data
from tests.e2e.test_dashboard import DASHBOARD
from worker.settings import Settings
from worker.watch import watch

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(240)]

WARD = ("--beds", "12", "--deteriorations", "6", "--speed-up", "30", "--seconds", "120", "--mode", "demo")


@pytest.fixture
def address(vigil_address, monkeypatch):
    """A worker of two processes on topics and tables of its own, with a simulated ward; where it serves its metrics."""
    monkeypatch.setenv("VIGIL_PROCESSES", "2")
    with (
        Workspace() as workspace,
        worker(workspace, f"http://{vigil_address}/health/ready"),
        subprocess.Popen(
            [*VIGIL, "simulate", *WARD], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as ward,
    ):
        try:
            yield vigil_address
        finally:
            ward.terminate()


def served(address):
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as response:
        return response.read()


class Round:
    """A nurse's round: each call measures one more patient, now, who needs someone at once.

    The simulated ward runs in its own, faster time, of which no latency can be told.
    """

    def __init__(self, bootstrap_servers, topic):
        self._producer = Producer({"bootstrap.servers": bootstrap_servers})
        self._topic = topic
        self._patients = count(1)

    def measure(self):
        patient = f"round-{next(self._patients)}"
        told = {
            "schema_version": 1, "message_id": patient, "patient_id": patient, "device_id": "cart-1", "mode": "test",
            "observed_at": datetime.now(UTC).isoformat(), "acquisition": "spot_check",
            "readings": [{"vital_sign": "spo2", "value": 78, "unit": "%"}],
        }  # fmt: skip
        self._producer.produce(self._topic, json.dumps(told).encode(), key=patient)
        self._producer.flush(5)


def test_every_query_gives_data_and_the_ward_view_shows_the_same_ward(
    address, kafka_bootstrap, topic_prefix, promtool, prometheus_program
):
    console = Console(file=io.StringIO(), width=200)
    nurse = Round(kafka_bootstrap, f"{topic_prefix}vitals.readings.v1")

    with prometheus([address]) as server:
        empty = None
        deadline = time.monotonic() + 100
        while empty != [] and time.monotonic() < deadline:
            nurse.measure()
            time.sleep(1)
            empty = without_data(server.url, DASHBOARD)
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=served(address), capture_output=True, check=False
    )
    watch(Settings(), once=True, console=console)

    assert empty == []
    assert b'vigil_process_up{process="2"} 1.0' in served(address)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
    assert "alerts are arriving (checked " in console.file.getvalue()
    assert "DEMO" in console.file.getvalue()
