"""Runs plans, each on topics and tables of its own, and makes a row of each."""

import os
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from deploy.local import Services
from deploy.local.accounts import Installation
from deploy.local.vigil import vigil
from persistence.schema import upgrade
from tests.faults.kinds import Kind
from tests.faults.plan import Plan
from tests.faults.rows import Row, count_services
from tests.faults.running import Result, run_fault
from tests.faults.workers import STOP_SECONDS


@contextmanager
def installed(services: Services) -> Iterator[Installation]:
    """Topics and a migrated database that nobody else has; no worker yet."""
    prefix = f"test-{secrets.token_hex(5)}."
    with services.postgres.database() as database:
        upgrade(database.url)
        given = {
            "VIGIL_KAFKA_BOOTSTRAP_SERVERS": services.kafka.bootstrap_servers,
            "VIGIL_TOPIC_PREFIX": prefix,
            "VIGIL_REPLICATION_FACTOR": str(min(3, services.kafka.brokers_expected)),
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
    wrong: list[str]

    @property
    def complaints(self) -> Counter[str]:
        return sum((result.complaints for result in self.results), Counter())


def run_plan(plan: Plan, services: Services, seed: int) -> Outcome:
    """Run *plan* as often as it wants; the row counts the strikes at which an alert was in doubt."""
    begun = time.monotonic()
    results = []
    for number in range(plan.runs):
        with plan.services() if plan.services else nullcontext(services) as used, installed(used) as here:
            results.append(_run(plan, here, used, seed + number))
    wrong = [text for result in results for text in _wrong(plan, result)]
    counted = sum(result.moments_in_doubt for result in results)
    if counted < plan.counted:
        wrong.append(f"an alert was in doubt at only {counted} strikes, not at {plan.counted}")
    return Outcome(_row(plan, results, wrong, seed, time.monotonic() - begun), results, wrong)


def _run(plan: Plan, installation: Installation, services: Services, seed: int) -> Result:
    return run_fault(
        installation,
        lambda run: plan.act(run, plan.strikes),
        seed=seed,
        names=plan.names,
        services=services,
        readings_per_s=plan.readings_per_s,
        load=plan.load,
    )


def _wrong(plan: Plan, result: Result) -> Iterator[str]:
    yield from result.findings.wrong
    yield from (f"ended with {code}" for code in result.exit_codes if code != 0)
    if result.seconds_to_stop >= STOP_SECONDS:
        yield f"a worker told to stop took {result.seconds_to_stop:.1f} s"
    yield from plan.examine(result)


def _row(plan: Plan, results: list[Result], wrong: list[str], seed: int, seconds: float) -> Row:
    in_doubt: Counter[Kind] = Counter()
    for result in results:
        for kind, count in result.in_doubt.items():
            in_doubt[kind or plan.kind] += count
    found = [result.findings for result in results]
    return Row(
        fault=plan.fault,
        kind=plan.kind,
        runs=in_doubt.total(),
        strikes=sum(result.strikes for result in results),
        worker_kills=in_doubt[Kind.WORKER_KILLED],
        service_faults=count_services(in_doubt),
        readings=sum(each.readings for each in found),
        alerts=sum(each.alerts for each in found),
        lost=sum(each.lost for each in found),
        removed=sum(result.sent.removed for result in results),
        doubled=sum(each.doubled for each in found),
        out_of_order=sum(each.out_of_order for each in found),
        wrong=len(wrong),
        seconds_until_whole=round(max(result.seconds_until_whole for result in results), 1),
        seconds=round(seconds, 1),
        seed=seed,
    )
