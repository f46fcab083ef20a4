"""The broker killed, or restarted in good order."""

import time
from collections.abc import Callable
from functools import partial

from deploy.local import Kafka
from tests.faults.acting import IN_KAFKA, kafka_of, start_to_be_struck, strike, works_again
from tests.faults.kinds import Kind
from tests.faults.plan import Plan
from tests.faults.running import Run


def broker_faults(run: Run, strikes: int, *, end: Callable[[Kafka], None]) -> None:
    """Let the broker *end* in the middle of a transaction, and start it again."""
    start_to_be_struck(run, IN_KAFKA)
    kafka = kafka_of(run)
    for _ in range(strikes):
        time.sleep(run.random.uniform(1, 3))
        strike(run, lambda: end(kafka))
        kafka.start()
    works_again(run.worker)


def _plan(fault: str, act: Callable[[Kafka], None], *, strikes: int, seconds: float) -> Plan:
    return Plan(
        fault=fault, kind=Kind.BROKER, act=partial(broker_faults, end=act), strikes=strikes, seconds=seconds
    )


MATRIX = [
    _plan("broker killed", Kafka.kill, strikes=8, seconds=100),
    _plan("broker restarted", Kafka.stop, strikes=6, seconds=80),
]
SHORT = [
    _plan("broker killed", Kafka.kill, strikes=1, seconds=25),
    _plan("broker restarted", Kafka.stop, strikes=1, seconds=25),
]
