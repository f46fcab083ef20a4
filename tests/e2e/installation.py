"""One Vigil of a test's own, run as an operator runs it."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from confluent_kafka import Consumer, Producer

ROOT = Path(__file__).parents[2]
VIGIL = [sys.executable, "-m", "worker"]
STARTED_SECONDS = 30


def free_port():
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Installation:
    """One Vigil of the test's own: its topics, group, database and port."""

    bootstrap: str
    database_url: str
    prefix: str
    group: str
    folder: Path
    port: int = field(default_factory=free_port)
    more: dict = field(default_factory=dict)
    path: Path = ROOT  # where the code lies that is run

    @property
    def environment(self):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("VIGIL_")}
        return kept | {
            "PYTHONPATH": str(self.path),
            "VIGIL_KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
            "VIGIL_DATABASE_URL": self.database_url,
            "VIGIL_TOPIC_PREFIX": self.prefix,
            "VIGIL_GROUP": self.group,
            "VIGIL_HTTP_PORT": str(self.port),
            "VIGIL_PARTITIONS": "2",
            "VIGIL_PROCESSES": "1",
            **self.more,
        }

    def vigil(self, *arguments, **more):
        """Run a command to its end."""
        return subprocess.run(
            [*VIGIL, *arguments], env=self.environment | more, cwd=self.folder, capture_output=True,
            text=True, timeout=60, check=False,
        )  # fmt: skip

    @contextmanager
    def running(self, *arguments, is_ready=True):
        """Run a worker; it is killed at the end of the block if it has not ended."""
        log = self.folder / f"worker-{uuid4().hex[:6]}.log"
        with log.open("w") as out:
            process = subprocess.Popen(
                [*VIGIL, "run", *arguments], env=self.environment, cwd=self.folder, stdout=out, stderr=out
            )
        try:
            if is_ready:
                self.wait_ready(process, log)
            yield process
        finally:
            process.kill()
            process.wait(10)

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=2) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def wait_ready(self, process, log):
        eventually(lambda: self.get("/health/ready")[0] == 200 or process.poll() is not None, STARTED_SECONDS)
        assert process.poll() is None, log.read_text()[-2000:]

    def topic(self, name):
        return f"{self.prefix}vitals.{name}.v1"

    def produce(self, value, *, topic="readings", key=b"P-1", headers=()):
        producer = Producer({"bootstrap.servers": self.bootstrap})
        producer.produce(self.topic(topic), value, key, headers=list(headers))
        producer.flush(10)

    def read(self, topic, count, seconds=20):
        """Read what is committed in *topic*, until there are so many or no more come."""
        settings = {
            "bootstrap.servers": self.bootstrap, "group.id": f"{self.group}-{uuid4()}",
            "auto.offset.reset": "earliest", "isolation.level": "read_committed", "enable.auto.commit": False,
        }  # fmt: skip
        consumer = Consumer(settings)
        consumer.subscribe([topic])
        records = []
        deadline = time.monotonic() + seconds
        while len(records) < count and time.monotonic() < deadline:
            record = consumer.poll(0.2)
            if record is not None and record.error() is None:
                records.append(record)
        consumer.close()
        return records


def eventually(holds, seconds=20):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)


def a_reading(value, *, mode="test", **more):
    now = datetime.now(UTC) - timedelta(milliseconds=200)
    return json.dumps({
        "schema_version": 1, "message_id": str(uuid4()), "patient_id": "P-1", "device_id": "mon-1",
        "observed_at": now.isoformat(), "mode": mode,
        "readings": [{"vital_sign": "heart_rate", "value": value, "unit": "/min"}], **more,
    }).encode()  # fmt: skip


def mistake(finished, code):
    """The one line on standard error of a command that ended with *code*; logs are not mistakes."""
    assert finished.returncode == code, finished.stderr
    assert "Traceback" not in finished.stderr + finished.stdout
    (line,) = [line for line in finished.stderr.splitlines() if line.startswith("vigil: ")]
    return line
