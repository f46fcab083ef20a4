"""What a fault plan is: one kind of fault, bounded and seeded, and how its row is made."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from deploy.local import Services
from tests.faults.kinds import Kind
from tests.faults.load import Load
from tests.faults.running import READINGS_PER_S, Result, Run

Act = Callable[[Run, int], None]
"""What is done to a run, so many times."""

Names = Mapping[str, Mapping[str, str]]
"""The workers of a run, and what each has in its environment beyond the addresses."""

# With a name of its own a worker gets its partitions back at once, so that it is struck at work.
ALONE: Names = {"alone": {"VIGIL_INSTANCE_ID": "alone"}}
TWO: Names = {"one": {}, "two": {}}
TWO_QUICK: Names = {name: {"VIGIL_SESSION_TIMEOUT": "6"} for name in TWO}
THREE: Names = {"one": {}, "two": {}, "three": {}}
THREE_NAMED: Names = {name: {"VIGIL_INSTANCE_ID": name} for name in THREE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One row of the matrix: *act* strikes *strikes* times in each of *runs* runs.

    *seconds* is about how long all its runs take; at least *counted* strikes must find an alert in doubt; a plan that
    *is_alone* has no other beside it, because it looks at how long something takes; *services* brings a broker and a database of its own, where
    the usual ones will not do; *load* makes another ward than the usual one of a seed; *examine* looks at a run that is over
    and says in words what is wrong beyond the comparison that every run has.
    """

    fault: str
    kind: Kind
    act: Act
    strikes: int
    seconds: float
    names: Names = field(default_factory=lambda: ALONE)
    runs: int = 1
    counted: int = 1
    is_alone: bool = False
    readings_per_s: float = READINGS_PER_S
    load: Callable[[int], Load] = Load
    services: Callable[[], AbstractContextManager[Services]] | None = None
    examine: Callable[[Result], Iterable[str]] = lambda _: ()
