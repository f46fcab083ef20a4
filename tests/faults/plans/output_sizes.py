"""The largest size that the dead-letter topic takes, lowered while large dead letters are on their way."""

import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial

from tests.faults.acting import IN_KAFKA, start_to_be_struck, strike, works_again
from tests.faults.kinds import Kind
from tests.faults.load import Load, Message
from tests.faults.plan import Plan
from tests.faults.plans.output_refusals import configure
from tests.faults.running import Result, Run

_LARGE = 150_000
_EVERY = 40  # messages: several a second


class LargeLoad(Load):
    """The usual load, in which now and then a record is large, and no message."""

    def next_message(self, now: datetime, elapsed_s: float) -> Message:
        message = super().next_message(now, elapsed_s)
        if message.number % _EVERY or message.topic != "readings":
            return message
        value = b"\xff" * _LARGE
        return replace(message, value=value, bad=frozenset({0}))


def limit_lowered(run: Run, strikes: int) -> None:
    start_to_be_struck(run, IN_KAFKA)
    for _ in range(strikes):
        time.sleep(run.random.uniform(1, 2))
        strike(run, partial(configure, run, "dead_letters", max_message_bytes="9000"))
        time.sleep(6)
        configure(run, "dead_letters", max_message_bytes=None)
    works_again(run.worker)


def _stubs_are_told(result: Result) -> Iterable[str]:
    """There must have been some, and with each the size of what was left out."""
    stubs = [letter for letter in result.evidence.out["dead_letters"] if letter.header("dlq-value-omitted")]
    if not stubs:
        yield "no dead letter was too large"
    if any(letter.header("dlq-value-omitted") != str(_LARGE) for letter in stubs):
        yield "a dead letter without its value tells another size"


def _plan(strikes: int, seconds: float) -> Plan:
    return Plan(
        fault="dead letters too large",
        kind=Kind.OUTPUT,
        act=limit_lowered,
        strikes=strikes,
        seconds=seconds,
        load=LargeLoad,
        examine=_stubs_are_told,
    )


MATRIX = [_plan(3, 60)]
SHORT = [_plan(1, 25)]
