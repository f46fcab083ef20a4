"""The process that starts the services and ends them when its owner is gone, however it went."""

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

Request = dict[str, Any]

_OWNER_POLL_SECONDS = 0.25
_FAREWELL_SECONDS = 5.0
_PR_SET_PDEATHSIG = 1


@dataclass(slots=True)
class Child:
    """A process in our care and the signal that ends it quickly without leaving a mess."""

    process: subprocess.Popen[bytes]
    farewell: int

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None


@dataclass(slots=True)
class Guardian:
    """Answers its owner's requests one by one; single-threaded, so nothing can interleave."""

    children: dict[int, Child] = field(default_factory=dict)
    folders: list[Path] = field(default_factory=list)

    def answer(self, request: Request) -> object:
        actions: dict[str, Callable[[Request], object]] = {
            "start": self._start,
            "signal": self._signal,
            "poll": self._poll,
            "remove_at_end": self._remove_at_end,
        }
        return actions[request["do"]](request)

    def end(self) -> None:
        """Leave no process and no folder behind."""
        self._say_farewell()
        for child in self._running():
            _signal_tree(child.process.pid, signal.SIGKILL)
            child.process.wait()
        for folder in self.folders:
            shutil.rmtree(folder, ignore_errors=True)

    def _say_farewell(self) -> None:
        for child in self._running():
            _signal_tree(child.process.pid, signal.SIGCONT)
            child.process.send_signal(child.farewell)
        deadline = time.monotonic() + _FAREWELL_SECONDS
        while self._running() and time.monotonic() < deadline:
            time.sleep(0.02)

    def _running(self) -> list[Child]:
        return [child for child in self.children.values() if child.is_running]

    def _start(self, request: Request) -> int:
        with Path(request["log"]).open("ab") as log:
            process = subprocess.Popen(  # pylint: disable=consider-using-with,subprocess-popen-preexec-fn
                request["argv"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=request["cwd"],
                user=request["user"],
                group=request["group"],
                extra_groups=None if request["group"] is None else [],
                start_new_session=True,
                preexec_fn=partial(_end_with_parent, request["farewell"]),  # noqa: PLW1509  no threads here
            )
        self.children[process.pid] = Child(process, request["farewell"])
        return process.pid

    def _signal(self, request: Request) -> bool:
        child = self.children[request["pid"]]
        if not child.is_running:
            return False
        if request["tree"]:
            _signal_tree(child.process.pid, request["signal"])
        else:
            child.process.send_signal(request["signal"])
        return True

    def _poll(self, request: Request) -> int | None:
        return self.children[request["pid"]].process.poll()

    def _remove_at_end(self, request: Request) -> None:
        self.folders.append(Path(request["folder"]))


_LIBC = ctypes.CDLL(None)


def _end_with_parent(farewell: int) -> None:
    """Let the kernel end a child whose guardian was killed (Linux only)."""
    if sys.platform == "linux":
        _LIBC.prctl(_PR_SET_PDEATHSIG, farewell)


def _signal_tree(pid: int, number: int) -> None:
    """Signal *pid* before its descendants, so that it starts no further ones.

    A process group would not do: every PostgreSQL backend has a group of its own.
    """
    reached: set[int] = set()
    waiting = [pid]
    while waiting:
        for each in waiting:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, number)
        reached.update(waiting)
        waiting = [child for child, parent in _parents() if parent in reached and child not in reached]


def _parents() -> list[tuple[int, int]]:
    """List every process with its parent."""
    if Path("/proc/self/stat").exists():
        return [pair for folder in Path("/proc").glob("[0-9]*") if (pair := _parent_of(folder))]
    listing = subprocess.run(["/bin/ps", "-A", "-o", "pid=,ppid="], check=True, capture_output=True)
    return [(int(pid), int(parent)) for pid, parent in (line.split() for line in listing.stdout.splitlines())]


def _parent_of(folder: Path) -> tuple[int, int] | None:
    try:
        status = (folder / "stat").read_text()
    except OSError:
        return None  # it ended while we looked
    # The name, in parentheses, may hold blanks; what follows it does not.
    return int(folder.name), int(status.rpartition(")")[2].split()[1])


def _requests(owner: int) -> Iterator[Request]:
    """Yield requests until the owner closes the pipe or dies.

    Its death is looked for as well: a forked child of it may hold the pipe open.
    """
    pending = b""
    while os.getppid() == owner:
        readable, _, _ = select.select([0], [], [], _OWNER_POLL_SECONDS)
        if not readable:
            continue
        chunk = os.read(0, 65536)
        if not chunk:
            return
        *lines, pending = (pending + chunk).split(b"\n")
        yield from (json.loads(line) for line in lines)


def _reply(guardian: Guardian, request: Request) -> None:
    try:
        reply = {"answer": guardian.answer(request)}
    except (OSError, KeyError, ValueError, subprocess.SubprocessError) as error:
        reply = {"error": f"{type(error).__name__}: {error}"}
    os.write(1, json.dumps(reply).encode() + b"\n")


def _leave(*_: object) -> NoReturn:
    raise SystemExit(0)


def main() -> None:
    """Serve the owner, whose process id is the one argument."""
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    guardian = Guardian()
    try:
        for request in _requests(int(sys.argv[1])):
            _reply(guardian, request)
    except BrokenPipeError:
        pass  # the owner died before it read the answer
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        guardian.end()


if __name__ == "__main__":
    main()
