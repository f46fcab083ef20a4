"""A service run as a local process under the guardian's eyes."""

import secrets
import signal
import socket
import time
from abc import abstractmethod
from pathlib import Path
from typing import ClassVar

from deploy.local.errors import ServiceFailedError
from deploy.local.services import Service
from deploy.local.workspace import Program, Workspace

LOOPBACK = "127.0.0.1"
# Below the range from which outgoing connections take theirs, so that a port is still free
# when a service comes back to it.
_PORTS = range(15_000, 30_000)
_LOG_LINES = 15
_POLL_SECONDS = 0.02


class LocalProcess(Service):
    """A service in a folder of its own, on a port that it keeps."""

    graceful: ClassVar[signal.Signals] = signal.SIGTERM
    stop_seconds: ClassVar[float] = 20.0

    def __init__(self, workspace: Workspace, folder: Path, *, port: int | None = None) -> None:
        self._workspace = workspace
        self._pid: int | None = None
        self.folder = folder
        self.log_path = workspace.folder / f"{folder.name}.log"
        self.port = port or free_port()

    @abstractmethod
    def prepare(self) -> None:
        """Make its data folder ready; called once, before the first start."""

    @abstractmethod
    def program(self) -> Program:
        """Return what to run."""

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int | None:
        return self._pid if self.is_running else None

    @property
    def is_running(self) -> bool:
        return self._pid is not None and self._workspace.exit_code(self._pid) is None

    def start(self) -> None:
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Start it without waiting until it answers."""
        if self.is_running:
            return
        if self._pid is None:
            self.prepare()
        self._pid = self._workspace.start(self.program())

    def stop(self) -> None:
        self.resume()
        self._signal(self.graceful)
        deadline = time.monotonic() + self.stop_seconds
        while self.is_running and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        self.kill()

    def kill(self) -> None:
        self._signal(signal.SIGKILL, tree=True)
        while self.is_running:
            time.sleep(_POLL_SECONDS)

    def pause(self) -> None:
        self._signal(signal.SIGSTOP, tree=True)

    def resume(self) -> None:
        self._signal(signal.SIGCONT, tree=True)

    def last_words(self) -> str:
        lines = self.log_path.read_text(errors="replace").splitlines() if self.log_path.exists() else []
        return "".join(f"\n  {line}" for line in [f"; {self.log_path} ends:", *lines[-_LOG_LINES:]])

    def run_to_end(self, program: Program, *, timeout: float = 60.0) -> None:
        """Run *program* under the guardian as well, so that nothing of it can be left behind."""
        pid = self._workspace.start(program)
        deadline = time.monotonic() + timeout
        while (code := self._workspace.exit_code(pid)) is None:
            if time.monotonic() > deadline:
                self._workspace.signal(pid, signal.SIGKILL, tree=True)
                raise ServiceFailedError(
                    f"{program.arguments[0]} took more than {timeout:g} s{self.last_words()}"
                )
            time.sleep(_POLL_SECONDS)
        if code != 0:
            raise ServiceFailedError(f"{program.arguments[0]} ended with {code}{self.last_words()}")

    def _signal(self, number: signal.Signals, *, tree: bool = False) -> None:
        if self._pid is not None:
            self._workspace.signal(self._pid, number, tree=tree)


def free_port() -> int:
    """Return a port on which nobody listens at the moment."""
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port


def accepts_connections(port: int) -> bool:
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1):
            return True
    except OSError:
        return False
