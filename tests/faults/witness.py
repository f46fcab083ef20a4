"""A witness: what a worker says of itself and what it weighs, looked at twice a second from outside."""

import json
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faults.workers import Worker

LOOK_SECONDS = 0.5
_ANSWER_SECONDS = 2.0
_KIB_IN_MIB = 1024.0
_USER_TICKS, _SYSTEM_TICKS = 11, 12  # of what follows the name in /proc/<pid>/stat


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a worker; a status of 0 stands for no answer."""

    at: float  # time.time()
    live: int
    ready: int
    reasons: tuple[str, ...]
    rss_mib: float


@contextmanager
def witnessed(worker: Worker) -> Iterator[list[Look]]:
    """Look at *worker*, whose HTTP port must be known, while the block runs; the list grows meanwhile."""
    looks: list[Look] = []
    is_over = threading.Event()

    def look_on() -> None:
        while not is_over.wait(LOOK_SECONDS):
            looks.append(look_at(worker))

    thread = threading.Thread(target=look_on, name="witness", daemon=True)
    thread.start()
    try:
        yield looks
    finally:
        is_over.set()
        thread.join()


def look_at(worker: Worker) -> Look:
    live, _ = ask(worker, "/health/live")
    ready, report = ask(worker, "/health/ready")
    reasons = tuple(json.loads(report)["reasons"]) if report.startswith("{") else ()
    return Look(time.time(), live, ready, reasons, rss_mib(worker))


def ask(worker: Worker, path: str) -> tuple[int, str]:
    """What *worker* answers on *path*: the HTTP status and the text."""
    url = f"http://127.0.0.1:{worker.http_port}{path}"
    try:
        with urllib.request.urlopen(url, timeout=_ANSWER_SECONDS) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def metric(worker: Worker, sample: str) -> float:
    """The value of *sample*, a name with its labels as `/metrics` writes it; 0 if there is none."""
    for line in ask(worker, "/metrics")[1].splitlines():
        name, _, value = line.rpartition(" ")
        if name == sample:
            return float(value)
    return 0.0


def rss_mib(worker: Worker) -> float:
    """The memory that the process has in use now; 0 when it is gone."""
    try:
        status = Path(f"/proc/{worker.pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    rows = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return int(rows.get("VmRSS", "0 kB").split()[0]) / _KIB_IN_MIB


def cpu_seconds(worker: Worker) -> float:
    """How long a processor has worked for the process by now."""
    fields = Path(f"/proc/{worker.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[_USER_TICKS]) + int(fields[_SYSTEM_TICKS])) / os.sysconf("SC_CLK_TCK")
