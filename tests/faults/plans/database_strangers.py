"""Strangers in the database: their locks, their slowness, their quarrels over the same rows."""

import time
from contextlib import closing
from functools import partial
from typing import Any

import psycopg
from psycopg import sql

from deploy.local.vigil import wait_until
from persistence.errors import ErrorClass
from tests.faults.acting import IN_DATABASE, start_to_be_struck, strike, works_again
from tests.faults.kinds import Kind
from tests.faults.plan import Act, Plan
from tests.faults.running import Run
from tests.faults.strangers import complained_of, trouble

_LOCKED = ("charts", "progress", "lanes")
_LONG_LOCK_S = 7.0  # they are waited for for 5 s
_LONG_STATEMENT_S = 12.0  # one may take 10 s
_PATIENCE_S = 30.0

_LAST_CHART = "SELECT 1 FROM charts ORDER BY patient_id DESC, mode DESC LIMIT 1 FOR UPDATE"
_ALL_CHARTS = "SELECT 1 FROM charts ORDER BY patient_id DESC, mode DESC FOR UPDATE"

_SLOW = "PERFORM pg_sleep(60)"
_REFUSED = "IF random() < 0.5 THEN RAISE EXCEPTION USING ERRCODE = 'serialization_failure'; END IF"


def locks(run: Run, strikes: int, *, seconds: float) -> None:
    """Lock all rows of a table, or the table itself, for longer than anybody waits."""
    start_to_be_struck(run, IN_DATABASE)
    with complained_of(run, ErrorClass.TIMEOUT):
        for number in range(strikes):
            table = sql.Identifier(_LOCKED[number % len(_LOCKED)])
            how = "SELECT 1 FROM {} FOR UPDATE" if number // len(_LOCKED) % 2 else "LOCK TABLE {}"
            with closing(psycopg.connect(run.installation.dsn)) as stranger:
                strike(run, partial(stranger.execute, sql.SQL(how).format(table)))
                time.sleep(seconds)
            works_again(run.worker)


def befall(run: Run, strikes: int, *, what: str, of: ErrorClass, seconds: float) -> None:
    start_to_be_struck(run, IN_DATABASE)
    trouble(run, strikes, what=what, of=of, seconds=seconds)


def deadlocks(run: Run, strikes: int) -> None:
    """Lock the patients' charts in the other order, so that one of the two must give way: it is the worker."""
    start_to_be_struck(run, IN_DATABASE)
    with complained_of(run, ErrorClass.CONFLICT):
        for _ in range(strikes):
            with closing(psycopg.connect(run.installation.dsn)) as stranger:
                stranger.execute("SET deadlock_timeout = '60s'")  # whoever's runs out first gives way
                strike(run, partial(stranger.execute, _LAST_CHART))
                assert wait_until(partial(_is_waited_for, stranger), _PATIENCE_S), "nobody wants that chart"
                stranger.execute(_ALL_CHARTS)
            works_again(run.worker)


def _is_waited_for(stranger: psycopg.Connection[Any]) -> bool:
    found = stranger.execute(
        "SELECT 1 FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    )
    return found.fetchone() is not None


def _plan(fault: str, act: Act, *, strikes: int, seconds: float) -> Plan:
    return Plan(fault=fault, kind=Kind.DATABASE, act=act, strikes=strikes, seconds=seconds)


_slow = partial(befall, what=_SLOW, of=ErrorClass.TIMEOUT, seconds=_LONG_STATEMENT_S)
_refused = partial(befall, what=_REFUSED, of=ErrorClass.CONFLICT)

MATRIX = [
    _plan(
        "tables and rows locked by a stranger", partial(locks, seconds=_LONG_LOCK_S), strikes=6, seconds=100
    ),
    _plan("statements that take too long", _slow, strikes=2, seconds=60),
    _plan("transactions refused as not serializable", partial(_refused, seconds=10), strikes=4, seconds=80),
    _plan("deadlocks with a stranger", deadlocks, strikes=6, seconds=40),
]
SHORT = [
    _plan("tables locked by a stranger", partial(locks, seconds=_LONG_LOCK_S), strikes=1, seconds=25),
    _plan("deadlocks with a stranger", deadlocks, strikes=1, seconds=15),
]
