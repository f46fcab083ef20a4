"""The command line as a whole: what holds for every command, whoever adds the next one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from worker.cli import app

ROOT = Path(__file__).parents[3]
NOBODY = "127.0.0.1:1"


def commands(group=None, path=()):
    """Every command there is, as one says it."""
    group = group or typer.main.get_command(app)
    for name, command in sorted(group.commands.items()):
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize("command", list(commands()), ids=" ".join)
def test_every_command_has_help_with_an_example(command):
    told = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"})

    assert told.exit_code == 0
    assert f"vigil {' '.join(command)}" in told.stdout.partition("Example: ")[2]


@pytest.mark.parametrize(
    "command",
    [("watch", "--once", "--wait", "0.2"), ("topics", "create", "--wait", "0.2")],
    ids=lambda given: given[0],
)
def test_a_command_that_waits_for_a_broker_says_so_in_the_log_and_prints_nothing(command, tmp_path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VIGIL_")}

    finished = subprocess.run(
        [sys.executable, "-m", "worker", *command],
        env=environment | {"VIGIL_KAFKA_BOOTSTRAP_SERVERS": NOBODY, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (finished.returncode, finished.stdout) == (3, "")
    assert '"event":"waiting_for"' in finished.stderr.replace(": ", ":")
