"""The demo: a live ward from nothing, every reading accounted for, nothing left behind."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEMO = [sys.executable, "-u", "-m", "deploy.local.demo"]

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
def demo(kafka):
    """Start the demo; whatever happens, it is ended."""
    assert (
        kafka.is_running
    )  # where there is no broker to be had this is skipped, or fails, like every other test
    started = []

    def start(*arguments):
        process = subprocess.Popen(
            [*DEMO, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def left_behind(process):
    """Processes that work in a folder of the demo's."""
    folder = f"/.local/run/{process.pid}-"
    commands = [
        path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if os.access(path, os.R_OK)
    ]
    return [command for command in commands if folder in command]


def ports_in(said):
    """The ports of worker and broker that the demo told."""
    return [int(port) for port in re.findall(r"(?:metrics|Kafka) +(?:http://)?127\.0\.0\.1:(\d+)", said)]


def is_open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_it_stops_by_itself_with_alerts_of_every_priority_and_all_accounted_for(demo):
    process = demo("--seconds", "26")

    said, _ = process.communicate(timeout=200)

    assert process.returncode == 0, said
    for word in (
        "/metrics",
        "/health/ready",
        "/asyncapi",
        "HIGH",
        "MEDIUM",
        "LOW",
        "all accounted for",
        "p99",
    ):
        assert word in said
    assert "not accounted for" not in said
    assert not left_behind(process)
    if "VIGIL_TEST_KAFKA_BOOTSTRAP_SERVERS" not in os.environ:  # a broker of somebody else's goes on
        assert len(ports_in(said)) == 2
        assert not any(is_open(port) for port in ports_in(said))


def test_ctrl_c_ends_everything_with_a_summary(demo):
    process = demo()
    for line in process.stdout:
        if "HIGH" in line:
            break

    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)

    assert process.returncode == 0, said
    assert "all accounted for" in said
    assert not left_behind(process)


def test_ctrl_c_while_it_starts_ends_it_too(demo):
    process = demo()
    process.stdout.readline()
    time.sleep(0.5)

    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)

    assert process.returncode == 130
    assert not left_behind(process)
