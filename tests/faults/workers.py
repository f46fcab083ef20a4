"""Workers as processes of their own, to be killed, stopped and started again; none outlives its owner."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import Database
from deploy.local.accounts import Installation
from deploy.local.vigil import wait_until
from deploy.local.workspace import Program, Workspace

STOP_SECONDS = 10.0
_LAST_LINES = 40
_ROOT = Path(__file__).parents[2]


@dataclass(slots=True)
class Worker:
    """One `vigil run` after the other under one name, on one port."""

    workspace: Workspace
    installation: Installation
    name: str
    environment: Mapping[str, str]
    pid: int = 0
    starts: int = 0
    given: Mapping[str, str] = field(default_factory=dict)  # the environment of the present process
    logs: list[Path] = field(default_factory=list)
    ends: list[tuple[int | None, float]] = field(default_factory=list)  # of those told to stop: code, seconds

    def start(self, **environment: str) -> None:
        self.starts += 1
        log = self.workspace.folder / f"{self.name}-{self.starts}.log"
        self.logs.append(log)
        self.given = {**self.environment, **environment}
        arguments = [
            "env",
            *(f"{name}={value}" for name, value in self.given.items()),
            *_program(),
            "run",
        ]
        self.pid = self.workspace.start(
            Program(arguments=arguments, log=log, folder=self.workspace.folder, farewell=signal.SIGTERM)
        )

    @property
    def http_port(self) -> int:
        """Where the present process answers; unless it was given one, it tells only once its services are there."""
        return int(self.given["VIGIL_HTTP_PORT"]) or int(str(self.entries("http_served")[-1]["port"]))

    @property
    def exit_code(self) -> int | None:
        return self.workspace.exit_code(self.pid)

    def kill(self) -> None:
        """kill -9; returns when the process is gone."""
        self.send(signal.SIGKILL)
        self.wait(STOP_SECONDS)

    def send(self, number: signal.Signals) -> None:
        self.workspace.signal(self.pid, number)

    def terminate(self) -> tuple[int | None, float]:
        """SIGTERM, once it is up so far that it can answer; returns the exit code, and how many seconds it took."""
        wait_until(lambda: self.logs[-1].stat().st_size > 0 or self.exit_code is not None, STOP_SECONDS)
        begun = time.monotonic()
        self.send(signal.SIGTERM)
        self.ends.append((self.wait(2 * STOP_SECONDS), time.monotonic() - begun))
        return self.ends[-1]

    def wait(self, seconds: float) -> int | None:
        wait_until(lambda: self.exit_code is not None, seconds)
        return self.exit_code

    def said(self, event: str) -> int:
        """How often the present process has logged *event*."""
        return len(self.entries(event))

    def entries(self, *events: str) -> list[dict[str, object]]:
        """What the present process has logged as one of *events*."""
        return [entry for entry in _entries(self.logs[-1]) if entry.get("event") in events]

    def wait_for(self, event: str, seconds: float = 60.0) -> bool:
        return (
            wait_until(lambda: self.said(event) > 0 or self.exit_code is not None, seconds)
            and self.said(event) > 0
        )

    def last_words(self) -> str:
        """How the present process's log ends."""
        return "\n".join(self.logs[-1].read_text(errors="replace").splitlines()[-_LAST_LINES:])

    def complaints(self) -> Iterator[str]:
        """What any of its processes logged as a warning or worse."""
        for log in self.logs:
            for entry in _entries(log):
                if entry.get("level") in ("warning", "error", "critical"):
                    yield f"{entry['event']} {entry.get('error', '')} {str(entry.get('exception', ''))[-200:]}".strip()


def _program() -> list[str]:
    """`vigil`, or where VIGIL_FAULTS_DEFECT names a defect, `vigil` with that defect."""
    defect = os.environ.get("VIGIL_FAULTS_DEFECT")
    if defect is None:
        return [sys.executable, "-m", "worker"]
    return ["env", f"PYTHONPATH={_ROOT}", sys.executable, "-m", "tests.faults.defects", defect]


def _entries(log: Path) -> Iterator[dict[str, object]]:
    for line in log.read_text(errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            yield entry


@contextmanager
def workers(
    installation: Installation, names: Mapping[str, Mapping[str, str]], protocol: str
) -> Iterator[dict[str, Worker]]:
    """Workers by name, not started; *names* says what each has in its environment. All end with the block."""
    common = {
        "VIGIL_KAFKA_BOOTSTRAP_SERVERS": installation.bootstrap_servers,
        "VIGIL_DATABASE_URL": Database(installation.dsn).url,
        "VIGIL_TOPIC_PREFIX": installation.topic_prefix,
        "VIGIL_GROUP": installation.group,
        "VIGIL_HTTP_PORT": "0",
        "VIGIL_PROCESSES": "1",
        "VIGIL_LOG_FORMAT": "json",
    }
    with Workspace() as workspace:
        file = workspace.folder / "protocol.toml"
        file.write_text(protocol)
        common["VIGIL_PROTOCOL"] = str(file)
        yield {
            name: Worker(workspace, installation, name, {**common, **further})
            for name, further in names.items()
        }
