"""The database away for minutes."""

from functools import partial

from tests.faults.acting import IN_DATABASE, postgres_of, start_to_be_struck
from tests.faults.kinds import Kind
from tests.faults.outages import take_away
from tests.faults.plan import Plan
from tests.faults.running import Run


def database_away(run: Run, strikes: int, *, seconds: float, is_timed: bool) -> None:
    """Kill the database under load, and start it again *seconds* later."""
    start_to_be_struck(run, IN_DATABASE)
    for _ in range(strikes):
        take_away(run, postgres_of(run), seconds, is_timed=is_timed)


def _plan(seconds: float, *, is_alone: bool = False) -> Plan:
    return Plan(
        fault=f"database away for {seconds:g} s",
        kind=Kind.DATABASE,
        act=partial(database_away, seconds=seconds, is_timed=is_alone),
        strikes=1,
        seconds=seconds + 20,
        is_alone=is_alone,  # where its seconds are counted
    )


MATRIX = [_plan(120, is_alone=True)]
SHORT = [_plan(9)]
