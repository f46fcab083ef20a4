"""`vigil protocol`: check, show, diff and test, as their user sees them."""

from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.builders import PROTOCOLS
from worker.cli import app
from worker.errors import OperatorError
from worker.trials.language import TrialError

WARD_ADULT = (PROTOCOLS / "ward-adult.toml").read_text("utf-8")
GOOD = """
[[trial]]
name = "a low saturation waits for a second reading"
steps = '''
at 0: spo2 97
at 10s: spo2 90
at 26s: spo2 90; expect start spo2-low medium
at 30s: spo2 79; expect escalate spo2-low high
'''

[[trial]]
name = "a nurse's value does not wait, and a monitor that falls silent is missed"
acquisition = "spot_check"
steps = "at 0: sbp 75; expect start systolic-pressure-low high"

[[trial]]
name = "silence"
steps = '''
at 0: spo2 97
at 5s: spo2 97
at 10min: spo2 97; expect end signal-overdue
'''
"""


def vigil(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["protocol", *map(str, arguments)])


def written(folder: Path, text: str, name: str = "file.toml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_check_names_each_protocol_with_its_hash() -> None:
    result = vigil("check", "ward-adult", "registry")

    assert result.exit_code == 0
    assert [line.split(":")[0] for line in result.stdout.splitlines()] == ["ward-adult", "registry"]
    assert "hash " in result.stdout


def test_check_says_file_line_and_reason_of_what_is_wrong(tmp_path: Path) -> None:
    site = written(tmp_path, WARD_ADULT.replace("{ threshold = 85, ", '{ threshold = "85", ', 1))

    result = vigil("check", site)

    line = next(number for number, text in enumerate(site.read_text().splitlines(), 1) if '"85"' in text)
    assert isinstance(result.exception, OperatorError)
    assert str(result.exception) == (
        f"{site}, line {line}: limits spo2-low, tier 2: threshold is '85'; wanted is a number"
    )


def test_show_has_a_row_for_each_tier() -> None:
    result = vigil("show", "ward-adult")

    assert result.stdout.startswith("ward-adult 1.0.0: Adult oncology ward")
    assert "below 92 %" in result.stdout
    assert "no target" in result.stdout
    assert "a fall of" in result.stdout


def test_diff_tells_what_changed_and_nothing_else(tmp_path: Path) -> None:
    site = written(
        tmp_path, WARD_ADULT.replace("threshold = 85,", "threshold = 86,", 1).replace('"1.0.0"', '"1.1.0"')
    )

    result = vigil("diff", "ward-adult", site)

    rows = result.stdout.splitlines()[1:]
    assert result.exit_code == 4
    assert len(rows) == 1
    assert "limit spo2-low: tier 2" in rows[0]
    assert "below 85 %, high, after 15 s" in rows[0]
    assert "below 86 %, high, after 15 s" in rows[0]


def test_diff_tells_of_a_level_that_nobody_is_paged_for(tmp_path: Path) -> None:
    registry = (PROTOCOLS / "registry.toml").read_text("utf-8")
    site = written(tmp_path, registry.replace("level_one = 37.5", "level_one = 37.6", 1))

    result = vigil("diff", "registry", site)

    assert result.exit_code == 4
    assert "37.5 °C" in result.stdout
    assert "37.6 °C" in result.stdout


def test_diff_of_a_protocol_with_itself_is_nothing() -> None:
    result = vigil("diff", "registry", "registry")

    assert (result.exit_code, result.stdout) == (0, "both say the same\n")


def test_trials_pass_or_say_what_was_said_instead(tmp_path: Path) -> None:
    trials = written(tmp_path, GOOD.replace("end signal-overdue", "nothing"))

    result = vigil("test", trials)

    assert result.exit_code == 4
    assert "passed  a low saturation waits for a second reading" in result.stdout
    assert "failed  silence" in result.stdout
    assert "line 3: said before it: start signal-overdue medium" in result.stdout
    assert "3 trials under ward-adult 1.0.0, 1 failed" in result.stdout


def test_what_is_expected_and_not_said_fails_a_trial(tmp_path: Path) -> None:
    trials = written(
        tmp_path, GOOD.replace("at 10s: spo2 90", "at 10s: spo2 95").split('[[trial]]\nname = "a nurse')[0]
    )

    result = vigil("test", trials)

    assert "line 3: expected and not said: start spo2-low medium" in result.stdout
    assert "line 4: expected and not said: escalate spo2-low high" in result.stdout
    assert "line 4: said and not expected: start spo2-low high" in result.stdout


def test_a_value_that_is_refused_fails_a_trial(tmp_path: Path) -> None:
    trials = written(tmp_path, '[[trial]]\nname = "x"\nsteps = "at 0: spo2 170"\n')

    result = vigil("test", trials)

    assert result.exit_code == 4
    assert "line 1: refused: impossible_value" in result.stdout


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("a = = 1", "is no readable TOML file"),
        ("", "must hold nothing but one or more [[trial]]"),
        ("[[trial]]\nname = 1\nsteps = 'at 0: spo2 97'", "name and steps must be texts"),
        ("[[trial]]\nname = 'x'\nsteps = ''", "steps must have at least one line"),
        (
            "[[trial]]\nname = 'x'\nstep = 'at 0: spo2 97'",
            "step is not known; known are acquisition, name, steps",
        ),
        ("[[trial]]\nname = 'x'\nacquisition = 'often'\nsteps = 'at 0: spo2 97'", "acquisition is 'often'"),
        ("[[trial]]\nname = 'x'\nsteps = 'at 0: spo3 97'", "trial 1 (x), line 1: 'spo3' is no vital sign"),
    ],
)
def test_a_file_that_is_wrong_is_one_line(tmp_path: Path, text: str, wrong: str) -> None:
    result = vigil("test", written(tmp_path, text))

    assert isinstance(result.exception, TrialError)
    assert wrong in str(result.exception)
    assert "\n" not in str(result.exception)
