"""The shape of the code, kept by small linters; each is tried on a planted violation as well."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("domain", "persistence", "worker", "migrations")
FIRST_PARTY = {*PACKAGES, "tests", "benchmarks", "deploy"}

# Dependencies point one way; migrations see the tables and nothing else of ours.
MAY_IMPORT = {
    "domain": {"domain"},
    "persistence": {"persistence", "domain"},
    "worker": {"worker", "persistence", "domain", "migrations"},
    "migrations": {"migrations", "persistence", "domain"},
}
# Of the standard library: what has a clock, chance, the outside world or another thread in it.
NOT_IN_DOMAIN = {
    "asyncio", "http", "logging", "multiprocessing", "os", "random", "secrets", "socket", "subprocess",
    "threading", "time", "urllib",
}  # fmt: skip
CLOCKS = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "uuid.uuid1",
    "uuid.uuid4",
    "uuid1",
    "uuid4",
}
SQL_BUILDERS = {"text", "select", "insert", "update", "delete", "table", "bindparam"}
SQL = re.compile(
    r"^\s*(select\s[\s\S]+\sfrom\s|select\s+(1|pg_)|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s|merge\s+into\s"
    r"|with\s+\w+\s+as\s*\(|(create|alter|drop)\s+(table|index|schema|database|type|sequence|unique)\s|truncate\s"
    r"|set\s+(local|session)\s|copy\s+\w+\s*(\(|from|to)|lock\s+table\s|listen\s+\w+$|notify\s+\w+)",
    re.IGNORECASE,
)
FORBIDDEN_NAMES = {
    "utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "processor", "processors",
    "service", "data", "info",
}  # fmt: skip


class Module(NamedTuple):
    path: str  # from the root, with slashes
    tree: ast.Module

    @property
    def package(self) -> str:
        return self.path.split("/")[0]


def parse(path: str, source: str) -> Module:
    return Module(path, ast.parse(source))


def modules() -> list[Module]:
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return [parse(path.relative_to(ROOT).as_posix(), path.read_text()) for path in paths]


def imports(module: Module) -> Iterator[str]:
    """Yield what *module* imports, with the names taken from it: a.b.name."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            home = node.module or ""
            prefix = module.path.rpartition("/")[0].replace("/", ".") + "." if node.level else ""
            yield from (f"{prefix}{home}.{alias.name}" for alias in node.names)


def dotted(node: ast.AST) -> str:
    return ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""


def calls(module: Module) -> Iterator[ast.Attribute]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func


def docstrings(tree: ast.Module) -> set[int]:
    holders = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, holders) and node.body]
    return {id(body[0].value) for body in bodies if isinstance(body[0], ast.Expr)}


def wrong_way(module: Module) -> Iterator[str]:
    for name in imports(module):
        top = name.split(".")[0]
        if top in FIRST_PARTY and top not in MAY_IMPORT[module.package]:
            yield f"imports {name}"


def beyond_the_standard_library(module: Module) -> Iterator[str]:
    if module.package == "domain":
        for name in imports(module):
            top = name.split(".")[0]
            if top != "domain" and (top not in sys.stdlib_module_names or top in NOT_IN_DOMAIN):
                yield f"imports {name}"


def clock_in_domain(module: Module) -> Iterator[str]:
    if module.package == "domain":
        for node in ast.walk(module.tree):
            name = dotted(node)
            if any(name == clock or name.endswith(f".{clock}") for clock in CLOCKS):
                yield f"line {node.lineno}: {name}"


def strings(module: Module) -> Iterator[ast.Constant]:
    ignored = docstrings(module.tree)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and id(node) not in ignored:
            yield node


def sql_outside_persistence(module: Module) -> Iterator[str]:
    if module.package in {"persistence", "migrations"}:
        return
    for node in strings(module):
        if isinstance(node.value, str) and SQL.match(node.value):
            yield f"line {node.lineno}: {node.value[:40]!r}"
    for name in imports(module):
        if name.startswith("sqlalchemy.") and name.split(".")[-1] in SQL_BUILDERS:
            yield f"imports {name}"


def commit_elsewhere(module: Module) -> Iterator[str]:
    """A Kafka consumer's commit is another thing: group offsets, which nothing is read from."""
    if module.path == "persistence/unit_of_work.py" or module.package == "migrations":
        return
    for call in calls(module):
        if call.attr == "commit" and not dotted(call.value).endswith("consumer"):
            yield f"line {call.lineno}: {dotted(call)}"


def environment_elsewhere(module: Module) -> Iterator[str]:
    if module.path == "worker/settings.py":
        return
    for node in ast.walk(module.tree):
        if dotted(node) in {"os.environ", "os.getenv", "os.environb"}:
            yield f"line {node.lineno}: {dotted(node)}"
    for name in imports(module):
        if name in {"os.environ", "os.getenv", "os.environb"}:
            yield f"imports {name}"


def name_that_says_nothing(module: Module) -> Iterator[str]:
    names = set(module.path.removesuffix(".py").split("/"))
    yield from (f"is named {name}" for name in sorted(names & FORBIDDEN_NAMES))


def no_docstring(module: Module) -> Iterator[str]:
    if not ast.get_docstring(module.tree) and not module.path.startswith("migrations/versions/"):
        yield "has no sentence that says what it is for"


RULES = [
    wrong_way,
    beyond_the_standard_library,
    clock_in_domain,
    sql_outside_persistence,
    commit_elsewhere,
    environment_elsewhere,
    name_that_says_nothing,
    no_docstring,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_code_has_none_of(rule):
    found = [f"{module.path} {violation}" for module in modules() for violation in rule(module)]

    assert found == []


@pytest.mark.parametrize(
    ("rule", "path", "source"),
    [
        (wrong_way, "domain/chart.py", "from persistence.tables import charts"),
        (wrong_way, "domain/chart.py", "def f():\n    import worker"),
        (wrong_way, "persistence/charts.py", "from worker import settings"),
        (wrong_way, "persistence/charts.py", "import worker.settings as s"),
        (wrong_way, "worker/app.py", "from tests.builders import a_reading"),
        (wrong_way, "migrations/env.py", "from worker.settings import Settings"),
        (beyond_the_standard_library, "domain/chart.py", "import pydantic"),
        (beyond_the_standard_library, "domain/chart.py", "from time import monotonic"),
        (beyond_the_standard_library, "domain/chart.py", "import os.path"),
        (clock_in_domain, "domain/chart.py", "from datetime import datetime\nnow = datetime.now()"),
        (
            clock_in_domain,
            "domain/chart.py",
            "import datetime as dt\nseen = field(default_factory=dt.datetime.now)",
        ),
        (clock_in_domain, "domain/chart.py", "x = datetime.utcnow()"),
        (clock_in_domain, "domain/chart.py", "x = date.today()"),
        (clock_in_domain, "domain/chart.py", "from uuid import uuid4\nx = uuid4()"),
        (sql_outside_persistence, "worker/lanes.py", "q = 'SELECT lane FROM lanes'"),
        (sql_outside_persistence, "worker/lanes.py", "q = f'update lanes set epoch = {n}'"),
        (sql_outside_persistence, "worker/lanes.py", "q = '''\n  insert into outbox values (1)'''"),
        (sql_outside_persistence, "worker/lanes.py", "q = 'SELECT 1'"),
        (sql_outside_persistence, "worker/lanes.py", "from sqlalchemy import text"),
        (sql_outside_persistence, "worker/lanes.py", "from sqlalchemy.dialects.postgresql import insert"),
        (commit_elsewhere, "worker/pipeline.py", "async def f(s):\n    await s.commit()"),
        (commit_elsewhere, "persistence/charts.py", "connection.commit()"),
        (environment_elsewhere, "worker/app.py", "import os\nx = os.environ['A']"),
        (environment_elsewhere, "worker/app.py", "import os\nx = os.getenv('A')"),
        (environment_elsewhere, "persistence/engine.py", "from os import environ"),
        (name_that_says_nothing, "worker/utils.py", "'''Odds and ends.'''"),
        (name_that_says_nothing, "worker/common/times.py", "'''Times.'''"),
        (no_docstring, "worker/lanes.py", "x = 1"),
    ],
)
def test_a_planted_violation_is_found(rule, path, source):
    assert list(rule(parse(path, source)))


@pytest.mark.parametrize(
    ("rule", "path", "source"),
    [
        (wrong_way, "worker/app.py", "from persistence.charts import ChartRepository\nimport domain.chart"),
        (wrong_way, "worker/app.py", "from .settings import Settings"),
        (
            beyond_the_standard_library,
            "domain/chart.py",
            "from dataclasses import dataclass\nfrom domain import times",
        ),
        (clock_in_domain, "domain/chart.py", "def tick(chart, now):\n    return chart.due_at <= now"),
        (sql_outside_persistence, "worker/lanes.py", "'''Select a lane from those assigned.'''"),
        (sql_outside_persistence, "worker/lanes.py", "print('update the lanes')"),
        (
            sql_outside_persistence,
            "persistence/lanes.py",
            "from sqlalchemy import text\nq = text('SELECT 1')",
        ),
        (commit_elsewhere, "persistence/unit_of_work.py", "connection.commit()"),
        (commit_elsewhere, "worker/subscribers.py", "await_ = consumer.commit({})"),
        (environment_elsewhere, "worker/settings.py", "import os\nx = os.environ"),
        (name_that_says_nothing, "worker/messages.py", "x = 1"),
    ],
)
def test_what_is_allowed_is_let_through(rule, path, source):
    assert not list(rule(parse(path, source)))
