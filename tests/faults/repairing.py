"""Lanes that must stop and be seen to, and their repair by the command an operator has, killed half-way once."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass

import psycopg

from deploy.local.vigil import wait_until
from tests.faults.running import Run
from tests.faults.workers import Worker

NOTICED_SECONDS = 5.0
_REPAIRED_SECONDS = 60.0
_AUDIT_SECONDS = 120
_KILLED = 2


@dataclass(frozen=True, slots=True)
class Told:
    """How a command ended."""

    code: int
    out: str


def expect_stop(run: Run, lanes: Iterable[int], begun: float) -> None:
    """See that each of *lanes* stops, visibly, within five seconds of *begun*; whatever is wrong is noted."""
    wanted = set(lanes)
    wait_until(lambda: wanted <= _stopped(run.worker), NOTICED_SECONDS - (time.monotonic() - begun))
    seconds = time.monotonic() - begun
    if missing := wanted - _stopped(run.worker):
        run.wrong.append(f"lanes {sorted(missing)} had not stopped after {seconds:.1f} s")
    wait_until(lambda: wanted <= set(_ready(run.worker)[1]), 2.0)  # looked at once a second
    status, told = _ready(run.worker)
    if status != 503 or not wanted <= set(told):
        run.wrong.append(f"readiness says {status} and {told} while {sorted(wanted)} have stopped")


def repair(run: Run, lanes: Iterable[int]) -> None:
    """Repair *lanes* one by one; two repairs are killed half-way, before and after what they note, and run again."""
    for number, lane in enumerate(sorted(lanes)):
        if number < _KILLED:
            _kill_half_way(run, lane, has_noted=number % 2 == 1)
        told = _vigil(run, "lanes", "repair", str(lane))
        if told.code not in (0, 4):
            run.wrong.append(f"the repair of lane {lane} ended with {told.code}: {told.out[-300:]}")
    if not wait_until(lambda: _vigil(run, "lanes", "status").code == 0, _REPAIRED_SECONDS):
        run.wrong.append("lanes are still stopped after their repair")


def audit(run: Run) -> dict[str, object]:
    """What `vigil audit` says of the whole run."""
    since = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 3600))
    told = _vigil(run, "audit", "--json", "--since", since)
    assert told.code in (0, 4), told.out[-500:]
    account: dict[str, object] = json.loads(told.out)
    return account


def _kill_half_way(run: Run, lane: int, *, has_noted: bool) -> None:
    """kill -9 a repair that has begun, or one that has renumbered what waits and not yet set the cursor (or just has)."""
    before = _progress_of(run, lane)
    process = subprocess.Popen(
        _command("lanes", "repair", str(lane)),
        env=_environment(run),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + _REPAIRED_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        now = _progress_of(run, lane)
        if now[1] > before[1] if has_noted else now[0] > before[0]:
            break
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()


def _progress_of(run: Run, lane: int) -> tuple[int, int]:
    """The lane's epoch, which a repair raises first, and the number of its markers, the last thing it writes here."""
    query = (
        "SELECT epoch, (SELECT count(*) FROM outbox o WHERE o.lane = l.lane AND o.topic = 'marker')"
        " FROM lanes l WHERE lane = %s"
    )
    with closing(psycopg.connect(run.installation.dsn)) as connection:
        epoch, markers = connection.execute(query, [lane]).fetchone() or (0, 0)
    return epoch, markers


def _stopped(worker: Worker) -> set[int]:
    """The lanes that stand still: the last that was said of them is that they have stopped."""
    said = {
        int(str(entry["lane"])): str(entry["event"]) for entry in worker.entries("lane_stopped", "lane_taken")
    }
    return {lane for lane, event in said.items() if event == "lane_stopped"}


def _ready(worker: Worker) -> tuple[int, list[int]]:
    """What readiness answers, and which lanes it says have stopped."""
    port = worker.entries("http_served")[-1]["port"]
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5) as answer:
            return answer.status, json.loads(answer.read())["lanes_stopped"]
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())["lanes_stopped"]


def _vigil(run: Run, *arguments: str) -> Told:
    done = subprocess.run(
        _command(*arguments), env=_environment(run), check=False, capture_output=True, text=True,
        timeout=_AUDIT_SECONDS,
    )  # fmt: skip
    return Told(done.returncode, done.stdout or done.stderr)


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "worker", *arguments]


def _environment(run: Run) -> dict[str, str]:
    given = {name: value for name, value in os.environ.items() if not name.startswith("VIGIL_")}
    return given | dict(run.worker.environment) | {"VIGIL_LOG_LEVEL": "ERROR"}
