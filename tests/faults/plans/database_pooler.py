"""The worker behind a pooler in transaction mode: the pooler killed, the server behind it killed, the worker killed."""

import time
from functools import partial

from deploy.local import Database
from deploy.local.pgbouncer import LocalPgBouncer
from tests.faults.acting import IN_DATABASE, postgres_of, start_to_be_struck, strike, works_again
from tests.faults.kinds import Kind
from tests.faults.plan import Act, Plan
from tests.faults.plans.worker_kills import kill_at_every_point
from tests.faults.running import Run

_CONNECTIONS = 6  # fewer than the worker has


def _put_between(run: Run) -> LocalPgBouncer:
    """Let every process from now on reach the database through a pooler, which lives as long as the run."""
    pooler = LocalPgBouncer(run.worker.workspace, postgres_of(run).dsn, connections=_CONNECTIONS)
    pooler.start()
    pooled = {"VIGIL_DATABASE_URL": pooler.in_front_of(Database(run.installation.dsn)).url}
    for worker in run.workers.values():
        worker.environment = {**worker.environment, **pooled}
    return pooler


def pooler_or_server_killed(run: Run, strikes: int) -> None:
    pooler, server = _put_between(run), postgres_of(run)
    start_to_be_struck(run, IN_DATABASE)
    for number in range(strikes):
        time.sleep(run.random.uniform(1, 3))
        strike(run, server.kill if number % 2 else pooler.kill)
        server.start()
        pooler.start()
    works_again(run.worker)


def _pooled(run: Run, strikes: int, *, act: Act) -> None:
    _put_between(run)
    act(run, strikes)


def _killed(strikes: int, seconds: float) -> Plan:
    return Plan(
        fault="pooler or its server killed",
        kind=Kind.DATABASE,
        act=pooler_or_server_killed,
        strikes=strikes,
        seconds=seconds,
    )


MATRIX = [
    _killed(6, 40),
    Plan(
        fault="killed at each fault point behind a pooler",
        kind=Kind.WORKER_KILLED,
        act=partial(_pooled, act=kill_at_every_point),
        strikes=1,
        seconds=40,
    ),
]
SHORT = [_killed(1, 15)]
