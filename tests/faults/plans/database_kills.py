"""The database killed, restarted, or rid of all its connections."""

import time
from collections.abc import Callable
from contextlib import closing
from functools import partial

import psycopg

from deploy.local import Postgres
from tests.faults.acting import IN_DATABASE, postgres_of, start_to_be_struck, strike, works_again
from tests.faults.kinds import Kind
from tests.faults.plan import Plan
from tests.faults.running import Run


def database_faults(run: Run, strikes: int, *, fault: Callable[[Postgres, str], None]) -> None:
    """Do *fault* to the database while it is written to; what has ended is started again."""
    start_to_be_struck(run, IN_DATABASE)
    postgres = postgres_of(run)
    for _ in range(strikes):
        time.sleep(run.random.uniform(1, 3))
        strike(run, lambda: fault(postgres, run.installation.dsn))
        postgres.start()
    works_again(run.worker)


def _kill(postgres: Postgres, _: str) -> None:
    postgres.kill()


def _stop(postgres: Postgres, _: str) -> None:
    postgres.stop()


def _cut_off(_: Postgres, dsn: str) -> None:
    with closing(psycopg.connect(dsn, autocommit=True)) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def _plan(fault: str, act: Callable[[Postgres, str], None], *, strikes: int, seconds: float) -> Plan:
    return Plan(
        fault=fault,
        kind=Kind.DATABASE,
        act=partial(database_faults, fault=act),
        strikes=strikes,
        seconds=seconds,
    )


MATRIX = [
    _plan("database killed", _kill, strikes=8, seconds=30),
    _plan("database restarted", _stop, strikes=8, seconds=30),
    _plan("connections cut off", _cut_off, strikes=10, seconds=30),
]
SHORT = [
    _plan("database killed", _kill, strikes=1, seconds=15),
    _plan("database restarted", _stop, strikes=1, seconds=10),
    _plan("connections cut off", _cut_off, strikes=3, seconds=12),
]
