"""Vigil itself as a process of its own: one-shot commands, and a worker that ends with its owner."""

import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from deploy.local.errors import LocalServiceError
from deploy.local.workspace import Program, Workspace

VIGIL = (sys.executable, "-m", "worker")
READY_SECONDS = 60.0
STOP_SECONDS = 12.0
_LOG_LINES = 15


class VigilFailedError(LocalServiceError):
    """A command or the worker ended badly; the text holds what it said."""


def vigil(*arguments: str) -> None:
    done = subprocess.run(
        [*VIGIL, *arguments], check=False, capture_output=True, text=True, timeout=READY_SECONDS
    )
    if done.returncode != 0:
        raise VigilFailedError(f"vigil {' '.join(arguments)} failed: {(done.stderr or done.stdout).strip()}")


@contextmanager
def worker(workspace: Workspace, ready_url: str) -> Iterator[None]:
    """A worker under the guardian's eyes, so that it ends with us however we end."""
    log = workspace.folder / "worker.log"
    program = Program(arguments=[*VIGIL, "run"], log=log, folder=workspace.folder, farewell=signal.SIGTERM)
    pid = workspace.start(program)
    try:
        _wait_until_ready(workspace, pid, ready_url)
        yield
    except VigilFailedError as error:
        last_words = "\n".join(log.read_text(errors="replace").splitlines()[-_LOG_LINES:])
        raise VigilFailedError(f"{error}\n{last_words}") from error
    finally:
        workspace.signal(pid, signal.SIGTERM)
        wait_until(lambda: workspace.exit_code(pid) is not None, STOP_SECONDS)


def _wait_until_ready(workspace: Workspace, pid: int, url: str) -> None:
    def is_ready() -> bool:
        if workspace.exit_code(pid) is not None:
            raise VigilFailedError(f"the worker ended with exit code {workspace.exit_code(pid)}")
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  our own worker on loopback
                return bool(answer.status == 200)  # noqa: PLR2004
        except OSError:
            return False

    if not wait_until(is_ready, READY_SECONDS):
        raise VigilFailedError(f"the worker was not ready within {READY_SECONDS:g} s")


def wait_until(is_so: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
