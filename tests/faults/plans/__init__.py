"""All fault plans: each module here has a list MATRIX, rows of the whole matrix, and a list SHORT, of the short form."""

from importlib import import_module
from itertools import chain
from pkgutil import iter_modules

from tests.faults.plan import Plan

_MODULES = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]


def _all(name: str) -> list[Plan]:
    return list(chain.from_iterable(getattr(module, name) for module in _MODULES))


MATRIX: list[Plan] = _all("MATRIX")
SHORT: list[Plan] = _all("SHORT")
"""Every kind once."""
