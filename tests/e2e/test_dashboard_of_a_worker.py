"""The whole way to the operator's screen: a worker under load, a real Prometheus, and every query of the dashboard."""

import io
import subprocess
import urllib.request

import pytest
from rich.console import Console

from deploy.local.processes import LOOPBACK, free_port
from deploy.local.prometheus import find_prometheus, prometheus
from deploy.local.vigil import VIGIL, vigil, wait_until, worker
from deploy.local.workspace import Workspace
from tests.conftest import present
from tests.e2e.dashboard_queries import without_data
from tests.e2e.test_dashboard import DASHBOARD
from worker.settings import Settings
from worker.watch import watch

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(240)]

WARD = ("--beds", "12", "--deteriorations", "6", "--speed-up", "30", "--seconds", "120", "--mode", "demo")


@pytest.fixture
def address(kafka_bootstrap, database, topic_prefix, group, monkeypatch):
    """A worker on topics and tables of its own, with a simulated ward; where it serves its metrics."""
    with present():
        find_prometheus()
    port = free_port()
    for name, value in {
        "KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap,
        "DATABASE_URL": database.url,
        "TOPIC_PREFIX": topic_prefix,
        "GROUP": group,
        "HTTP_PORT": str(port),
    }.items():
        monkeypatch.setenv(f"VIGIL_{name}", value)
    vigil("topics", "create")
    with (
        Workspace() as workspace,
        worker(workspace, f"http://{LOOPBACK}:{port}/health/ready"),
        subprocess.Popen(
            [*VIGIL, "simulate", *WARD], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as ward,
    ):
        try:
            yield f"{LOOPBACK}:{port}"
        finally:
            ward.terminate()


def served(address):
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as response:
        return response.read()


def test_every_query_gives_data_and_the_ward_view_shows_the_same_ward(address):
    promtool = find_prometheus().with_name("promtool")  # the package brings both
    console = Console(file=io.StringIO(), width=200)

    with prometheus([address]) as server:
        wait_until(lambda: not without_data(server.url, DASHBOARD), 100)
        empty = without_data(server.url, DASHBOARD)
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=served(address), capture_output=True, check=False
    )
    watch(Settings(), once=True, console=console)

    assert empty == []
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
    assert "watched: 6 lanes" in console.file.getvalue()
    assert "DEMO" in console.file.getvalue()
