"""Fault points do nothing unless a test asks, and then exactly what it asks."""

import json
import os
import signal
import subprocess
import sys

import pytest

from worker.errors import SettingsError
from worker.fault_points import FaultPoint, arm, passing

PASSES_THREE_TIMES = """
import sys
from worker.fault_points import FaultPoint, arm, passing
arm(sys.argv[1])
for _ in range(3):
    passing(FaultPoint.BEFORE_COMMIT)
    passing(FaultPoint.AFTER_COMMIT)
    print("passed", flush=True)
"""


def told(asked):
    return subprocess.run(
        [sys.executable, "-c", PASSES_THREE_TIMES, asked],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_nothing_happens_unless_it_was_asked_for():
    arm(None)

    for point in FaultPoint:
        passing(point)


@pytest.mark.parametrize(
    ("asked", "passes"),
    [
        ("before-commit", 0),
        ("before-commit:2", 1),
        ("after-commit:3", 2),
        ("after-insert,before-commit:3", 2),
    ],
)
def test_the_process_is_killed_when_the_point_is_passed_so_many_times_and_says_where(asked, passes):
    done = told(asked)

    assert done.returncode == -signal.SIGKILL
    assert done.stdout.count("passed") == passes
    assert json.loads(done.stderr)["point"] == asked.partition(":")[0].rpartition(",")[2]


def test_the_process_freezes_only_while_the_file_is_there(tmp_path):
    file = tmp_path / "freeze"
    assert told(f"before-commit:1:stop:{file}").stdout.count("passed") == 3
    file.touch()

    with subprocess.Popen(
        [sys.executable, "-c", PASSES_THREE_TIMES, f"before-commit:1:stop:{file}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert json.loads(process.stderr.readline())["point"] == "before-commit"
        file.unlink()
        os.waitpid(process.pid, os.WUNTRACED)  # it says where it is before it freezes
        process.send_signal(signal.SIGCONT)

        assert process.wait(20) == 0


@pytest.mark.parametrize("asked", ["nowhere", "", "before-commit:often", "before-commit:1:dance"])
def test_a_point_that_does_not_exist_is_refused(asked):
    with pytest.raises(SettingsError, match="VIGIL_FAULT_POINT"):
        arm(asked)
