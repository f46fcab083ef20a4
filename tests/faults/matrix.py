"""Runs plans, each on topics and tables of its own, and makes a row of each."""

import os
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from deploy.local import Services
from deploy.local.accounts import Installation
from deploy.local.vigil import vigil
from persistence.schema import upgrade
from tests.faults.checking import Findings
from tests.faults.plans import Plan
from tests.faults.rows import Row, row_of
from tests.faults.running import Result, run_fault


@contextmanager
def installed(services: Services) -> Iterator[Installation]:
    """Topics and a migrated database that nobody else has; no worker yet."""
    prefix = f"test-{secrets.token_hex(5)}."
    with services.postgres.database() as database:
        upgrade(database.url)
        given = {
            "VIGIL_KAFKA_BOOTSTRAP_SERVERS": services.kafka.bootstrap_servers,
            "VIGIL_TOPIC_PREFIX": prefix,
        }
        before = {name: os.environ.get(name) for name in given}
        os.environ.update(given)
        try:
            vigil("topics", "create")
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
        yield Installation(
            bootstrap_servers=services.kafka.bootstrap_servers,
            dsn=database.dsn,
            topic_prefix=prefix,
            group=f"{prefix}vigil",
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """A row, and what it was made of."""

    row: Row
    results: list[Result]

    @property
    def complaints(self) -> Counter[str]:
        return sum((result.complaints for result in self.results), Counter())

    @property
    def wrong(self) -> list[str]:
        said = [text for result in self.results for text in result.findings.wrong]
        return said + [
            f"ended with {code}" for result in self.results for code in result.exit_codes if code != 0
        ]


def run_plan(plan: Plan, services: Services, seed: int) -> Outcome:
    """Run *plan* as often as it wants; the row counts the strikes at which an alert was in doubt."""
    results = []
    for number in range(plan.runs):
        with installed(services) as installation:
            results.append(
                run_fault(
                    installation,
                    plan.act(plan.strikes),
                    seed=seed + number,
                    names=plan.names,
                    services=services,
                )
            )
    return Outcome(_row(plan, results), results)


def _row(plan: Plan, results: list[Result]) -> Row:
    total = Findings()
    for result in results:
        for name in ("readings", "alerts", "lost", "doubled", "out_of_order"):
            setattr(total, name, getattr(total, name) + getattr(result.findings, name))
    return row_of(
        plan.fault,
        total,
        runs=sum(result.moments_in_doubt for result in results),
        seconds_until_whole=max(result.seconds_until_whole for result in results),
    )
