"""`vigil score news2`: a hospital's own table, with the score beside it."""

import csv
from io import StringIO
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from worker.scoring.errors import ScoringError
from worker.scoring.tables import score_table

HEADER = "rr,spo2,spo2_scale,on_oxygen,sbp,hr,new_confusion_or_vpu,temp_c"


def scored(folder: Path, *rows: str, header: str = HEADER) -> list[dict[str, str]]:
    out = StringIO()
    score_table(table(folder, *rows, header=header), out)
    return list(csv.DictReader(StringIO(out.getvalue())))


def table(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "ward.csv"
    path.write_text("\n".join((header, *rows)) + "\n", "utf-8")
    return path


def test_each_row_gets_its_parts_total_band_and_red(tmp_path: Path) -> None:
    (row,) = scored(tmp_path, "24,93,1,1,105,105,0,38.5")

    parts = (
        "rr_score",
        "spo2_score",
        "oxygen_score",
        "sbp_score",
        "hr_score",
        "consciousness_score",
        "temp_score",
    )
    assert [row[part] for part in parts] == ["2", "2", "2", "1", "1", "0", "1"]
    assert (row["total"], row["band"], row["red"], row["missing"]) == ("9", "high", "false", "")


def test_an_empty_cell_is_missing_and_leaves_no_total(tmp_path: Path) -> None:
    (row,) = scored(tmp_path, "25,93,,1,105,105,,38.5")

    assert (row["total"], row["missing"], row["at_least"]) == ("", "consciousness", "10")
    assert (row["band"], row["red"]) == ("high", "true")


def test_an_empty_scale_is_scale_1_and_an_empty_oxygen_is_not_air(tmp_path: Path) -> None:
    (row,) = scored(tmp_path, "16,90,,,120,70,no,36.8")

    assert (row["spo2_score"], row["oxygen_score"], row["missing"]) == ("3", "", "oxygen")


def test_a_value_that_nobody_can_have_is_missing_with_a_remark(tmp_path: Path) -> None:
    (row,) = scored(tmp_path, "0,98,1,0,120,70,0,98.6")

    assert row["missing"] == "respiratory_rate temperature"
    assert row["remarks"].startswith("rr is not between")
    assert "temp_c is not between" in row["remarks"]


def test_other_columns_are_kept_in_their_order(tmp_path: Path) -> None:
    (row,) = scored(tmp_path, "A7,16,98,1,0,120,70,0,36.8,late", header=f"id,{HEADER},note")

    assert (row["id"], row["note"], row["total"]) == ("A7", "late", "0")
    assert next(iter(row)) == "id"


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        ("x,98,1,0,120,70,0,36.8", "line 2: rr must be a number"),
        ("16,98,3,0,120,70,0,36.8", "line 2: spo2_scale must be 1, or 2"),
        ("16,98,1,maybe,120,70,0,36.8", "line 2: on_oxygen must be 1 or 0"),
        ("16,98,1,0,120,70,0", "line 2: not as many cells"),
        ("16,98,1,0,120,70,0,36.8,9", "line 2: not as many cells"),
    ],
)
def test_a_cell_that_cannot_be_read_is_named_with_its_line(tmp_path: Path, row: str, wrong: str) -> None:
    with pytest.raises(ScoringError) as raised:
        scored(tmp_path, row)

    assert wrong in str(raised.value)


@pytest.mark.parametrize(
    ("header", "wrong"),
    [
        ("rr,spo2", "has no column spo2_scale"),
        (f"{HEADER},total", "has a column total already"),
        ("", "has no column rr"),
    ],
)
def test_a_table_of_another_form_is_refused(tmp_path: Path, header: str, wrong: str) -> None:
    with pytest.raises(ScoringError) as raised:
        scored(tmp_path, header=header)

    assert wrong in str(raised.value)


@pytest.mark.parametrize(
    ("content", "wrong"), [(b"\xff\xfe\x00rr", "not a CSV file"), (b'rr,"sp\x00', "not a CSV file")]
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, content: bytes, wrong: str) -> None:
    path = tmp_path / "ward.csv"
    path.write_bytes(content)

    with pytest.raises(ScoringError) as raised:
        score_table(path, StringIO())

    assert wrong in str(raised.value)


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ScoringError) as raised:
        score_table(tmp_path / "none.csv", StringIO())

    assert "cannot be read: No such file" in str(raised.value)


def test_the_command_writes_the_scored_table_and_says_how_many_of_each_band(tmp_path: Path) -> None:
    path, output = (
        table(tmp_path, "16,98,1,0,120,70,0,36.8", "25,,1,0,120,70,0,36.8"),
        tmp_path / "scored.csv",
    )

    result = run("score", "news2", str(path), "--output", str(output))

    assert result.exit_code == 0, result.output
    assert "2 rows scored: 1 incomplete, 1 low" in result.output
    assert [row["total"] for row in csv.DictReader(StringIO(output.read_text()))] == ["0", ""]


def test_nothing_is_left_behind_of_a_table_that_cannot_be_scored(tmp_path: Path) -> None:
    path, output = table(tmp_path, "x,98,1,0,120,70,0,36.8"), tmp_path / "scored.csv"

    result = run("score", "news2", str(path), "--output", str(output))

    assert isinstance(result.exception, ScoringError)
    assert list(tmp_path.iterdir()) == [path]


def test_a_table_is_never_written_over_itself(tmp_path: Path) -> None:
    path = table(tmp_path, "16,98,1,0,120,70,0,36.8")

    result = run("score", "news2", str(path), "--output", str(path))

    assert "must be another file" in str(result.exception)


def run(*arguments: str) -> Result:
    from worker.cli import app  # noqa: PLC0415  the app configures nothing until it is called

    return CliRunner().invoke(app, list(arguments))
