"""Small slips in the domain's code, one at a time: what a tired hand would type."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_FLIPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
_SWAPS = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True)
class Mutant:
    """One slip: where it is, what it reads before and after, and the module with it."""

    module: str
    line: int
    before: str
    after: str
    source: str


def mutants_of(path: Path) -> Iterator[Mutant]:
    """Every mutant of the module at *path*; each is made from a fresh tree, so that none carries another's slip."""
    text = path.read_text()
    for index in range(len(_sites(ast.parse(text)))):
        tree = ast.parse(text)
        node, slip = _sites(tree)[index]
        before = ast.unparse(node)
        slip()
        ast.fix_missing_locations(tree)
        yield Mutant(path.name, node.lineno, before, ast.unparse(node), ast.unparse(tree))


def _sites(tree: ast.Module) -> list[tuple[ast.stmt | ast.expr, Callable[[], None]]]:
    passive = _passive(tree)
    return [
        site
        for node in ast.walk(tree)
        if id(node) not in passive
        for site in _slips(node)
    ]  # fmt: skip


def _passive(tree: ast.Module) -> set[int]:
    """What no test could tell apart: annotations, docstrings' neighbours, decorators, `__slots__`."""
    found: set[int] = set()
    for node in ast.walk(tree):
        parts: list[ast.AST | None] = []
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            parts += node.decorator_list
        if isinstance(node, ast.FunctionDef):
            parts += [
                node.returns,
                *(each.annotation for each in ast.walk(node.args) if isinstance(each, ast.arg)),
            ]
        if isinstance(node, ast.AnnAssign):
            parts.append(node.annotation)
        found |= {id(each) for part in parts if part is not None for each in ast.walk(part)}
    return found


def _slips(node: ast.AST) -> Iterator[tuple[ast.stmt | ast.expr, Callable[[], None]]]:
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            if type(operator) in _FLIPS:
                yield (
                    node,
                    lambda node=node, place=place: node.ops.__setitem__(place, _flipped(node.ops[place])),
                )
    elif isinstance(node, ast.BinOp | ast.BoolOp) and type(node.op) in _FLIPS:
        yield node, lambda: setattr(node, "op", _flipped(node.op))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node, lambda: setattr(node, "operand", ast.UnaryOp(ast.Not(), node.operand))
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float):
        yield node, lambda: setattr(node, "value", _other(node.value))
    elif isinstance(node, ast.If | ast.IfExp):
        yield node.test, lambda: setattr(node, "test", ast.UnaryOp(ast.Not(), node.test))
    elif isinstance(node, ast.Return) and node.value is not None and ast.unparse(node.value) != "None":
        yield node, lambda: setattr(node, "value", ast.Constant(None))
    elif isinstance(node, ast.Name) and node.id in _SWAPS and isinstance(node.ctx, ast.Load):
        yield node, lambda: setattr(node, "id", _SWAPS[node.id])


def _flipped(operator: ast.AST) -> ast.AST:
    return _FLIPS[type(operator)]()


def _other(value: object) -> object:
    return not value if isinstance(value, bool) else value + 1  # type: ignore[operator]
