"""The programs that are measured: each a process of its own, ended with whoever measures it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from deploy.local import Database
from deploy.local.processes import free_port
from deploy.local.workspace import Program, Workspace
from worker.supervision.counting import AUTO

CHECKOUT = Path(__file__).parents[1]
GROUP = "vigil"
_STOP_SECONDS = 20.0
_NUMBERS = count(1)
_LOG_LINES = 20


class ProgramFailedError(RuntimeError):
    """A measured program ended, or did not do its work; says what it said last."""


@dataclass(frozen=True, slots=True)
class Running:
    """A program that runs in *workspace*'s care."""

    name: str
    pid: int
    workspace: Workspace
    log: Path

    def must_run(self) -> None:
        """Raise ProgramFailedError if the program has ended."""
        if (code := self.workspace.exit_code(self.pid)) is not None:
            raise ProgramFailedError(f"{self.name} ended with exit code {code}\n{self.last_words()}")

    def last_words(self) -> str:
        return "\n".join(self.log.read_text("utf-8", errors="replace").splitlines()[-_LOG_LINES:])

    def cpu_seconds(self) -> float:
        """Return the processor time it and its processes have used; 0 where the system does not tell (Linux does)."""
        ticks = sum(_ticks(pid) for pid in [str(self.pid), *self._children()])
        return ticks / os.sysconf("SC_CLK_TCK")

    def _children(self) -> list[str]:
        try:
            return Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text("utf-8").split()
        except OSError:
            return []

    def stop(self) -> None:
        """Ask it to end, and insist after a while."""
        self.workspace.signal(self.pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        while self.workspace.exit_code(self.pid) is None:
            if time.monotonic() > deadline:
                self.workspace.signal(self.pid, signal.SIGKILL, tree=True)
                return
            time.sleep(0.05)


def _ticks(pid: str) -> int:
    try:
        status = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except OSError:
        return 0
    user, system = status.rpartition(")")[2].split()[11:13]
    return int(user) + int(system)


@contextmanager
def running(
    workspace: Workspace, name: str, arguments: Sequence[str], settings: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """Run a Python program, `python *arguments*`, for as long as the block takes."""
    log = workspace.folder / f"{next(_NUMBERS)}-{name}.log"
    given = [f"{key}={value}" for key, value in (settings or {}).items()]
    command = ["/usr/bin/env", *_unset_settings(), *given, sys.executable, *arguments]
    pid = workspace.start(Program(arguments=command, log=log, folder=CHECKOUT))
    program = Running(name, pid, workspace, log)
    try:
        yield program
    finally:
        program.stop()


@dataclass(frozen=True, slots=True)
class Vigil:
    """One installation of the product: its database, its topics under a prefix, its settings."""

    bootstrap_servers: str
    database: Database
    topic_prefix: str
    partitions: int
    processes: str = AUTO

    @property
    def readings_topic(self) -> str:
        return f"{self.topic_prefix}vitals.readings.v1"

    @property
    def alerts_topic(self) -> str:
        return f"{self.topic_prefix}vitals.alerts.v1"

    def set_up(self) -> None:
        """Make its tables and topics with its own commands."""
        for command in (["db", "upgrade"], ["topics", "create"]):
            self._run_to_end(command)

    @contextmanager
    def worker(self, workspace: Workspace, *, profile: Path | None = None) -> Iterator[Running]:
        """Run one worker; under cProfile, and much slower, where *profile* names a file for it."""
        profiler = ["-m", "cProfile", "-o", str(profile)] if profile else []
        with running(workspace, "vigil", [*profiler, "-m", "worker", "run"], self.settings()) as program:
            yield program

    def _run_to_end(self, command: list[str]) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "worker", *command],
            cwd=CHECKOUT,
            env={**_environment(), **self.settings()},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        if done.returncode:
            raise ProgramFailedError(f"vigil {' '.join(command)} failed\n{done.stdout}{done.stderr}")

    def settings(self) -> dict[str, str]:
        """Return what differs from the shipped defaults: addresses, names, and where the log goes."""
        return {
            "VIGIL_KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers,
            "VIGIL_DATABASE_URL": self.database.url,
            "VIGIL_TOPIC_PREFIX": self.topic_prefix,
            "VIGIL_PARTITIONS": str(self.partitions),
            "VIGIL_GROUP": f"{self.topic_prefix}{GROUP}",
            "VIGIL_PROTOCOL": "ward-adult",
            "VIGIL_HTTP_PORT": str(free_port()),
            "VIGIL_PROCESSES": self.processes,
            "VIGIL_LOG_FORMAT": "json",
        }


def _environment() -> dict[str, str]:
    """Return our environment without settings of Vigil's: the shipped defaults are measured."""
    return {name: value for name, value in os.environ.items() if not name.startswith("VIGIL_")}


def _unset_settings() -> list[str]:
    # Processes in the guardian's care inherit its environment, which is ours.
    names = sorted(name for name in os.environ if name.startswith("VIGIL_"))
    return [part for name in names for part in ("-u", name)]
