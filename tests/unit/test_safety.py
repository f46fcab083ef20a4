"""The hazard log: every hazard has a control, and every control a test that exists."""

import ast
import re
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
HEADER = ["Id", "Hazard", "Cause", "Control", "Residual risk", "Test"]
A_TEST = re.compile(r"`(?P<path>tests/[\w/.-]+\.py)::(?:(?P<owner>\w+)::)?(?P<name>\w+)`")


class HazardRow(NamedTuple):
    id: str
    hazard: str
    cause: str
    control: str
    residual_risk: str
    test: str


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def hazard_rows(text: str) -> list[HazardRow]:
    """Return the rows of every table in *text* that has the header of a hazard table."""
    rows, inside = [], False
    for line in text.splitlines():
        if not line.startswith("|"):
            inside = False
        elif cells(line) == HEADER:
            inside = True
        elif inside and set(line) - set("|-: "):
            rows.append(HazardRow(*cells(line)))
    return rows


def defined_tests(path: Path) -> set[str]:
    """Return the tests that the file at *path* defines, those of a class as Class::test."""
    if not path.is_file():
        return set()
    body = ast.parse(path.read_text()).body
    owners = [("", body)] + [(f"{node.name}::", node.body) for node in body if isinstance(node, ast.ClassDef)]
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {
        f"{owner}{node.name}"
        for owner, nodes in owners
        for node in nodes
        if isinstance(node, functions) and node.name.startswith("test_")
    }


def faults(row: HazardRow, root: Path = ROOT) -> list[str]:
    """Return what is wrong with *row*: empty cells, no test, or tests that do not exist."""
    found = [f"{row.id}: {title} is empty" for title, cell in zip(HEADER, row, strict=True) if not cell]
    named = list(A_TEST.finditer(row.test))
    if not named or A_TEST.sub("", row.test).replace("<br>", "").strip(" ,;"):
        found.append(f"{row.id}: the test column must hold tests and nothing else, not {row.test!r}")
    for match in named:
        test = f"{match['owner']}::{match['name']}" if match["owner"] else match["name"]
        if test not in defined_tests(root / match["path"]):
            found.append(f"{row.id}: there is no {match[0]}")
    return found


LOG = (ROOT / "SAFETY.md").read_text()
ROWS = hazard_rows(LOG)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_every_control_names_tests_that_exist(row):
    assert faults(row) == []


def test_no_controlled_hazard_stands_outside_the_tables_read_here():
    controlled = LOG.partition("Known, and not controlled yet")[0]

    assert re.findall(r"^\| (H-\d+) ", controlled, re.MULTILINE) == [row.id for row in ROWS]


def test_no_hazard_is_named_twice():
    ids = [row.id for row in ROWS]

    assert len(ids) == len(set(ids)) > 0


A_CHECK = "`tests/unit/test_x.py::test_it`"


@pytest.mark.parametrize(
    ("test", "fault"),
    [
        ("TBD", "the test column must hold tests"),
        ("", "Test is empty"),
        ("by inspection", "the test column must hold tests"),
        (f"{A_CHECK} and by inspection", "the test column must hold tests"),
        ("`tests/unit/test_x.py::test_that`", "there is no"),
        ("`tests/unit/test_y.py::test_it`", "there is no"),
        ("`tests/unit/test_x.py::build`", "there is no"),
        ("`tests/unit/test_x.py::test_inner`", "there is no"),
        ("`tests/unit/test_x.py::TestThem::test_it`", "there is no"),
    ],
)
def test_a_control_without_a_test_is_found(tmp_path, test, fault):
    write_tests(tmp_path)

    found = faults(HazardRow("H-1", "hazard", "cause", "control", "risk", test), tmp_path)

    assert any(fault in one for one in found), found


@pytest.mark.parametrize(
    "test",
    [A_CHECK, f"{A_CHECK}<br>`tests/unit/test_x.py::TestThem::test_inner`", f"{A_CHECK}, {A_CHECK}"],
    ids=["one", "one of a class", "two"],
)
def test_a_control_with_its_tests_is_let_through(tmp_path, test):
    write_tests(tmp_path)

    assert faults(HazardRow("H-1", "hazard", "cause", "control", "risk", test), tmp_path) == []


def test_a_row_of_the_wrong_length_is_an_error():
    table = f"| {' | '.join(HEADER)} |\n|---|---|---|---|---|---|\n| H-1 | hazard | cause |"

    with pytest.raises(TypeError):
        hazard_rows(table)


def write_tests(root: Path) -> None:
    path = root / "tests" / "unit" / "test_x.py"
    path.parent.mkdir(parents=True)
    path.write_text(
        "async def test_it(): ...\ndef build(): ...\nclass TestThem:\n    def test_inner(self): ...\n"
    )
