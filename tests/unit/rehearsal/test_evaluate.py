"""`vigil evaluate`: whole recordings under a protocol, without broker or database."""

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from worker.cli import app


@pytest.fixture
def ward(tmp_path: Path) -> Path:
    """A recording in which the heart races from minute 2 on, and worse from minute 5 on."""
    rates = [80, 82, 140, 141, 142, 170, 171, 80, 80, 80]
    return written(tmp_path / "bed-1.txt", *(("HR", minute, rate) for minute, rate in enumerate(rates)))


def written(path: Path, *rows: tuple[str, int, float]) -> Path:
    """A recording of the long form."""
    lines = (f"{minute // 60:02}:{minute % 60:02},{name},{value}" for name, minute, value in rows)
    path.write_text("\n".join(("Time,Parameter,Value", *lines)) + "\n", "utf-8")
    return path


def evaluated(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


def test_each_page_is_a_row_with_the_time_since_the_recording_began(ward: Path) -> None:
    result = evaluated(ward)

    assert result.exit_code == 0, result.output
    rows = [line.split() for line in result.stdout.splitlines()[1:]]
    assert [(row[1], row[2], row[3]) for row in rows] == [
        ("0:02:00", "start", "MEDIUM"),
        ("0:05:00", "escalate", "HIGH"),
    ]


def test_the_summary_counts_pages_and_names_the_protocol_with_its_hash(ward: Path) -> None:
    result = evaluated(ward)

    assert "protocol ward-adult" in result.stderr
    assert "physiological pages: 1 high, 1 medium" in result.stderr
    assert "technical pages: none" in result.stderr
    assert "patients: 1, alerts of every kind: 3, readings refused: 0" in result.stderr


def test_all_shows_what_nobody_is_called_for_too(ward: Path) -> None:
    result = evaluated(ward, "--all")

    assert [line.split()[2] for line in result.stdout.splitlines()[1:]] == ["start", "escalate", "end"]


def test_json_is_a_line_for_each_alert_as_it_would_be_published(ward: Path) -> None:
    result = evaluated(ward, "--json", "--all")

    alerts = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(alert["phase"], alert["priority"], alert["mode"]) for alert in alerts] == [
        ("start", "medium", "demo"),
        ("escalate", "high", "demo"),
        ("end", "high", "demo"),
    ]


def test_the_same_files_say_the_same_again_byte_for_byte(ward: Path) -> None:
    assert evaluated(ward, "--json", "--all").stdout == evaluated(ward, "--json", "--all").stdout


def test_another_protocol_says_other_things(ward: Path) -> None:
    result = evaluated(ward, "--protocol", "registry")

    assert "protocol registry" in result.stderr
    assert result.stdout != evaluated(ward).stdout


def test_a_value_that_cannot_be_is_refused_and_counted(tmp_path: Path) -> None:
    recording = written(tmp_path / "bed-2.txt", ("HR", 0, 80), ("HR", 1, 999))

    result = evaluated(recording)

    assert "patients: 1, alerts of every kind: 0, readings refused: 1" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (["--protocol", "nowhere.toml"], "--protocol: protocol 'nowhere.toml' is neither shipped"),
        (["--start", "yesterday"], "start must be an instant"),
    ],
)
def test_a_slip_of_the_operator_is_one_line(ward: Path, arguments: list[str], wrong: str) -> None:
    result = evaluated(ward, *arguments)

    assert wrong in str(result.exception)
    assert "\n" not in str(result.exception)
