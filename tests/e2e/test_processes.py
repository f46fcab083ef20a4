"""A worker of several processes, as an operator runs it: one port, one log, one beginning, one end."""

import json
import os
import signal
import socket
import subprocess
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.installation import Installation, a_reading, eventually, mistake


@pytest.fixture
def installation(kafka_bootstrap, database_url, topic_prefix, group, tmp_path):
    installation = Installation(
        kafka_bootstrap, database_url, topic_prefix, group, tmp_path, more={"VIGIL_PROCESSES": "2"}
    )
    assert installation.vigil("topics", "create").returncode == 0
    return installation


def entries(installation):
    """Every line of the log."""
    lines = [line for log in installation.folder.glob("*.log") for line in log.read_text().splitlines()]
    return [json.loads(line) for line in lines]


def pids(installation):
    return {
        entry["process"]: entry["pid"] for entry in entries(installation) if entry["event"] == "process_made"
    }


def running(installation):
    """The numbers of the processes that run; one that has ended and was not yet asked how does not."""
    return [number for number, pid in pids(installation).items() if _state(pid) not in ("", "Z")]


def _state(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def report(installation):
    body = installation.get("/health/ready")[1]
    return json.loads(body) if body else {"processes": {}}


def shares(installation):
    """How many lanes each process holds."""
    return sorted(each["lanes_held"] for each in report(installation)["processes"].values())


def values(page, name):
    return {
        sample.labels["process"]: sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == name
    }


def scraped(installation):
    """The metrics, with the patience of Prometheus."""
    with urlopen(f"http://127.0.0.1:{installation.port}/metrics", timeout=5) as answer:
        return answer.read().decode()


def logged(installation, event):
    """Which processes have logged *event*."""
    return sorted(entry["process"] for entry in entries(installation) if entry["event"] == event)


def test_two_processes_are_one_worker_with_one_port_one_log_and_one_end(installation, promtool):
    with installation.running() as process:
        eventually(lambda: shares(installation) == [1, 1])
        for number in range(4):
            patient = f"P-{number}"
            installation.produce(a_reading(170, patient_id=patient), key=patient.encode())
        alerts = installation.read(installation.topic("alerts.test"), 4)
        page = installation.get("/metrics")[1]
        told = report(installation)
        document = json.loads(installation.get("/asyncapi.json")[1])
        answered = {path: installation.get(path)[0] for path in installation.get("/")[1].split()}
        began = time.monotonic()
        process.terminate()

        assert process.wait(10) == 0
        assert time.monotonic() - began < 10
        assert running(installation) == []

    assert {alert.partition() for alert in alerts} == {0, 1}
    assert values(page, "vigil_process_up") == {"1": 1.0, "2": 1.0}
    assert values(page, "vigil_lanes_held") == {"1": 1.0, "2": 1.0}
    assert sum(values(page, "vigil_batch_records_sum").values()) == 4
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=page.encode(), capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
    assert (told["ready"], told["reasons"], told["lanes_held"]) == (True, [], 2)
    assert document["channels"]["readings"]["bindings"]["kafka"]["partitions"] == 2
    assert set(answered.values()) == {200}
    assert logged(installation, "worker_started") == [1, 2]
    assert logged(installation, "worker_stopped") == [1, 2]


def test_no_process_outlives_a_supervisor_that_is_killed(installation):
    with installation.running() as process:
        eventually(lambda: shares(installation) == [1, 1])
        process.kill()
        process.wait(10)

        eventually(lambda: running(installation) == [], 1)


def test_a_worker_ends_as_its_first_process_that_ends(installation):
    with installation.running() as process:
        eventually(lambda: shares(installation) == [1, 1])
        os.kill(pids(installation)[2], signal.SIGKILL)

        assert process.wait(10) == 137
    assert logged(installation, "worker_stopped") == [1]


def test_a_process_that_hangs_is_told_of_and_the_worker_is_not_live_any_more(installation):
    with installation.running() as process:
        eventually(lambda: shares(installation) == [1, 1])
        hung = pids(installation)[2]
        os.kill(hung, signal.SIGSTOP)

        status, body = installation.get("/health/ready")
        assert (status, json.loads(body)["reasons"]) == (503, ["process 2: does not answer"])
        assert installation.get("/health/live")[0] == 200
        assert values(scraped(installation), "vigil_process_up") == {"1": 1.0, "2": 0.0}
        eventually(lambda: installation.get("/health/live")[0] == 503, 13)
        os.kill(hung, signal.SIGCONT)
        eventually(lambda: installation.get("/health/live")[0] == 200, 5)
        assert process.poll() is None


def test_processes_have_names_of_their_own_in_the_group_and_those_without_a_lane_are_let_go(installation):
    from confluent_kafka.admin import AdminClient  # noqa: PLC0415

    many = replace(
        installation, more={"VIGIL_PROCESSES": "4", "VIGIL_INSTANCE_ID": "bedside", "VIGIL_PARTITIONS": "6"}
    )
    with many.running() as process:
        eventually(lambda: shares(many) == [1, 1])
        admin = AdminClient({"bootstrap.servers": many.bootstrap})
        described = admin.describe_consumer_groups([many.group])[many.group].result(10)
        eventually(lambda: running(many) == [1, 2], 5)
        process.send_signal(signal.SIGINT)

        assert process.wait(10) == 0
    assert sorted(member.group_instance_id for member in described.members) == ["bedside-1", "bedside-2"]


def test_a_worker_that_waits_says_for_what_and_can_be_told_to_stop(installation):
    waiting = replace(installation, database_url="postgresql+asyncpg://u:p@127.0.0.1:1/d")
    with waiting.running(is_ready=False) as process:
        eventually(lambda: waiting.get("/health/ready")[0] == 503, 30)
        eventually(lambda: "waiting for the database" in report(waiting)["reasons"][0])
        assert report(waiting)["reasons"][1:] == ["process 2: waits for process 1"]
        assert waiting.get("/health/live")[0] == 200
        assert values(scraped(waiting), "vigil_ready") == {"1": 0.0}
        process.terminate()

        assert process.wait(10) == 0
        assert running(waiting) == []


def test_what_is_missing_is_said_once_for_all(installation):
    missing = installation.vigil("run", VIGIL_TOPIC_PREFIX=f"{installation.prefix}none.")
    away = installation.vigil("run", "--wait", "1", VIGIL_KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", installation.port))
        taken.listen()
        refused = installation.vigil("run")

    assert "vigil topics create" in mistake(missing, 2)
    assert "gave no answer in 1 s" in mistake(away, 3)
    assert away.stderr.count("waiting_for") == 1
    assert "VIGIL_HTTP_PORT" in mistake(refused, 2)
