"""A database put back to a backup under a running worker: the lane stops where it is seen, is repaired, and goes on."""

import json
import subprocess
from pathlib import Path
from shutil import which

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

from tests.e2e.installation import a_reading, eventually

NOTICED_SECONDS = 5
TOOLS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))


def tool(name):
    found = which(name) or next(
        (str(path / name) for path in reversed(TOOLS) if (path / name).exists()), None
    )
    assert found, f"{name} is needed: install postgresql-client"
    return found


@pytest.fixture
def backup(installation):
    """Takes a backup of the database, and puts it back."""
    url = installation.database_url.replace("postgresql+asyncpg://", "postgresql://")
    file = str(installation.folder / "backup.sql")

    class Backup:
        def take(self):
            subprocess.run([tool("pg_dump"), "-f", file, url], check=True)

        def restore(self):
            """In one transaction, the worker running: it sees all of the past or nothing of it."""
            emptied = ["-c", "DROP SCHEMA public CASCADE", "-c", "CREATE SCHEMA public"]
            quiet = [tool("psql"), "-q", "-X", "-1", "-v", "ON_ERROR_STOP=1", "-d", url]
            subprocess.run([*quiet, *emptied, "-f", file], check=True, stdout=subprocess.DEVNULL)

    return Backup()


def phases(records):
    return [json.loads(record.value())["phase"] for record in records]


def stopped_lanes(installation):
    """The lanes that the worker says have stopped, when readiness and metric agree about it."""
    status, text = installation.get("/health/ready")
    lanes = json.loads(text)["lanes_stopped"] if text else []
    metrics = installation.get("/metrics")[1]
    agreed = status == 503 and all(f'vigil_lane_stopped{{lane="{lane}"}} 1.0' in metrics for lane in lanes)
    return lanes if agreed else []


def test_after_a_restore_the_lane_stops_and_once_repaired_says_everything_once(installation, backup):
    alerts = installation.topic("alerts")
    with installation.running():
        installation.produce(a_reading(170, mode="real"))
        assert phases(installation.read(alerts, 1)) == ["start"]
        backup.take()
        for value in (80, 175):
            installation.produce(a_reading(value, mode="real"))
        assert phases(installation.read(alerts, 3)) == ["start", "end", "start"]

        backup.restore()
        eventually(lambda: stopped_lanes(installation), NOTICED_SECONDS)
        (lane,) = stopped_lanes(installation)
        assert installation.vigil("lanes", "status").returncode == 4
        assert "Nothing was changed." in installation.vigil("lanes", "repair", str(lane), "--dry-run").stdout
        repaired = installation.vigil("lanes", "repair", str(lane))

        assert repaired.returncode in (0, 4), repaired.stderr  # 4 as long as the two readings are not back
        eventually(lambda: installation.get("/health/ready")[0] == 200, 20)
        installation.produce(a_reading(81, mode="real"))
        records = installation.read(alerts, 5, seconds=10)
        assert phases(records) == ["start", "end", "start", "end"]
        assert len({dict(record.headers())["ce_id"] for record in records}) == 4
        assert installation.vigil("lanes", "status").returncode == 0


def test_a_cursor_that_a_tool_reset_while_the_worker_was_down_stops_the_lane(installation):
    alerts = installation.topic("alerts")
    with installation.running():
        installation.produce(a_reading(170, mode="real"))
        assert phases(installation.read(alerts, 1)) == ["start"]
    for lane in (0, 1):
        _reset(installation, lane)

    with installation.running(is_ready=False):
        eventually(lambda: stopped_lanes(installation), 30)
        (lane,) = stopped_lanes(installation)
        repaired = installation.vigil("lanes", "repair", str(lane))
        assert repaired.returncode == 0, repaired.stderr
        eventually(lambda: installation.get("/health/ready")[0] == 200, 20)
        installation.produce(a_reading(80, mode="real"))

        assert phases(installation.read(alerts, 3, seconds=8)) == ["start", "end"]


def test_a_cursor_that_a_tool_resets_under_a_running_worker_stops_the_lane_in_time(installation):
    alerts = installation.topic("alerts")
    with installation.running():
        installation.produce(a_reading(170, mode="real"))
        assert phases(installation.read(alerts, 1)) == ["start"]
        for lane in (0, 1):
            _reset(installation, lane)
        eventually(lambda: stopped_lanes(installation), NOTICED_SECONDS)
        (lane,) = stopped_lanes(installation)
        installation.produce(a_reading(80, mode="real"))
        repaired = installation.vigil("lanes", "repair", str(lane))
        assert repaired.returncode == 0, repaired.stderr

        assert phases(installation.read(alerts, 3, seconds=8)) == ["start", "end"]
        eventually(lambda: installation.get("/health/ready")[0] == 200, 20)


def test_a_lane_that_needs_no_repair_and_one_that_is_not_there_are_one_line(installation):
    needless = installation.vigil("lanes", "repair", "0")
    beyond = installation.vigil("lanes", "repair", "7")

    assert (needless.returncode, beyond.returncode) == (0, 2)
    assert needless.stdout.startswith("lane 0 needs no repair")
    assert beyond.stderr.splitlines()[-1] == "vigil: there is no lane 7: the topics have 2 partitions, 0 to 1"


def _reset(installation, lane):
    """What `kafka-consumer-groups --reset-offsets --to-earliest` writes."""
    place = TopicPartition(installation.topic("alerts"), lane, 0)
    admin = AdminClient({"bootstrap.servers": installation.bootstrap})
    asked = [ConsumerGroupTopicPartitions(f"{installation.group}.published", [place])]
    for future in admin.alter_consumer_group_offsets(asked).values():
        future.result(10)
