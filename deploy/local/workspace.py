"""The owner's side of the guardian: a folder for this run and the means to start processes in it."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

from deploy.local.configuration import LOCAL_FOLDER
from deploy.local.errors import LocalServiceError

_GUARDIAN = Path(__file__).parent / "guardian.py"
_GOODBYE_SECONDS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program to run: its arguments, where it speaks, as whom, and the signal that ends it fast."""

    arguments: Sequence[str]
    log: Path
    folder: Path
    farewell: signal.Signals = signal.SIGKILL
    user: int | None = None
    group: int | None = None


class Workspace:
    """A folder below `.local/run`, and a guardian who removes it with all that runs in it.

    Whether this process leaves by `close`, by an exception, or by kill -9 makes no difference.
    """

    def __init__(self, parent: Path = LOCAL_FOLDER / "run") -> None:
        self._one_at_a_time = threading.Lock()
        with exclusive(parent / "lock"):
            _sweep(parent)
            self.folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=parent))
            self.folder.chmod(0o755)  # the database may have to run as another user
            self._guardian = self._call_guardian()
        self.remove_at_end(self.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End what still runs and remove the folder; returns when both are done."""
        with self._one_at_a_time:
            _pipe(self._guardian.stdin).close()
            self._guardian.wait(timeout=_GOODBYE_SECONDS)
            _pipe(self._guardian.stdout).close()

    def start(self, program: Program) -> int:
        """Start *program* in a session of its own, out of a terminal's reach; return its process id."""
        pid = self._ask(
            do="start",
            argv=list(program.arguments),
            log=str(program.log),
            cwd=str(program.folder),
            farewell=int(program.farewell),
            user=program.user,
            group=program.group,
        )
        return int(pid)

    def signal(self, pid: int, number: signal.Signals, *, tree: bool = False) -> bool:
        """Send a signal to a process, or to it and its descendants; False if it had ended."""
        return bool(self._ask(do="signal", pid=pid, signal=int(number), tree=tree))

    def exit_code(self, pid: int) -> int | None:
        """Return how a process ended, or None while it runs."""
        code: int | None = self._ask(do="poll", pid=pid)
        return code

    def remove_at_end(self, folder: Path) -> None:
        self._ask(do="remove_at_end", folder=str(folder))

    def _call_guardian(self) -> subprocess.Popen[bytes]:
        # The guardian inherits the lock: as long as either lives, nobody sweeps the folder away.
        with (self.folder / "lock").open("wb") as lock, (self.folder / "guardian.log").open("wb") as log:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return subprocess.Popen(
                [sys.executable, "-I", str(_GUARDIAN), str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                bufsize=0,
                cwd="/",
                start_new_session=True,  # Ctrl-C in a terminal is for the owner alone
                pass_fds=[lock.fileno()],
            )

    def _ask(self, **request: Any) -> Any:  # noqa: ANN401  JSON in, JSON out
        with self._one_at_a_time:
            try:
                _pipe(self._guardian.stdin).write(json.dumps(request).encode() + b"\n")
                reply = json.loads(_pipe(self._guardian.stdout).readline())
            except (OSError, ValueError) as error:
                raise LocalServiceError("the guardian of the local services has ended") from error
        if "error" in reply:
            raise LocalServiceError(f"the guardian could not {request['do']}: {reply['error']}")
        return reply["answer"]


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise LocalServiceError("the guardian has no pipe")
    return stream


@contextmanager
def exclusive(path: Path, *, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock file *path* against other processes; calls *waiting* once if somebody has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as lock:
        if not _lock_at_once(lock):
            waiting()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _lock_at_once(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sweep(parent: Path) -> None:
    """Remove folders whose owner and guardian were both killed before they could."""
    for folder in parent.glob("*-*"):
        try:
            with (folder / "lock").open("rb") as lock:
                if _lock_at_once(lock):
                    shutil.rmtree(folder, ignore_errors=True)
        except FileNotFoundError:
            shutil.rmtree(folder, ignore_errors=True)
