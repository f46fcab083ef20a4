"""The broker away for minutes."""

from functools import partial

from tests.faults.acting import IN_KAFKA, kafka_of, start_to_be_struck
from tests.faults.kinds import Kind
from tests.faults.outages import take_away
from tests.faults.plan import Plan
from tests.faults.running import Run


def broker_away(run: Run, strikes: int, *, seconds: float, is_timed: bool) -> None:
    """Kill the broker under load, and start it again *seconds* later."""
    start_to_be_struck(run, IN_KAFKA)
    for _ in range(strikes):
        take_away(run, kafka_of(run), seconds, is_timed=is_timed)


def _plan(seconds: float, *, is_alone: bool = False) -> Plan:
    return Plan(
        fault=f"broker away for {seconds:g} s",
        kind=Kind.BROKER,
        act=partial(broker_away, seconds=seconds, is_timed=is_alone),
        strikes=1,
        seconds=seconds + 20,
        is_alone=is_alone,  # where its seconds are counted
    )


MATRIX = [_plan(120, is_alone=True)]
SHORT = [_plan(9)]
