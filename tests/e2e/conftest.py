"""A running Vigil of a test's own, for tests that speak to it as any other program does."""

import pytest

from deploy.local.accounts import Installation
from deploy.local.processes import LOOPBACK, free_port
from deploy.local.vigil import vigil, worker
from deploy.local.workspace import Workspace
from tests.e2e import installation as of_a_test


@pytest.fixture
def vigil_address(kafka_bootstrap, database, topic_prefix, group, monkeypatch):
    """Where a worker may serve HTTP that is started now: the environment names services, topics and tables of its own."""
    port = free_port()
    for name, value in {
        "KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap,
        "DATABASE_URL": database.url,
        "TOPIC_PREFIX": topic_prefix,
        "GROUP": group,
        "HTTP_PORT": str(port),
        "PROCESSES": "1",
    }.items():
        monkeypatch.setenv(f"VIGIL_{name}", value)
    vigil("topics", "create")
    return f"{LOOPBACK}:{port}"


@pytest.fixture
def working_vigil(vigil_address, kafka_bootstrap, database, topic_prefix, group):
    """A worker on topics and tables of its own."""
    with Workspace() as workspace, worker(workspace, f"http://{vigil_address}/health/ready"):
        yield Installation(
            bootstrap_servers=kafka_bootstrap, dsn=database.dsn, topic_prefix=topic_prefix, group=group
        )


@pytest.fixture
def installation(kafka_bootstrap, database_url, topic_prefix, group, tmp_path):
    """A Vigil of the test's own, run as an operator runs it."""
    made = of_a_test.Installation(kafka_bootstrap, database_url, topic_prefix, group, tmp_path)
    assert made.vigil("topics", "create").returncode == 0
    return made
