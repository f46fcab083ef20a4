"""Strangers in the database: what befalls every batch because of them, and whether the worker has met it."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial

import psycopg

from persistence.errors import ErrorClass
from tests.faults.acting import strike, works_again
from tests.faults.running import Run
from tests.faults.witness import metric

# Every batch moves on in the input.
_TRIGGER = """
CREATE FUNCTION stranger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {what}; RETURN NULL; END $$;
CREATE TRIGGER stranger BEFORE UPDATE ON progress FOR EACH STATEMENT EXECUTE FUNCTION stranger()
"""


def trouble(run: Run, strikes: int, *, what: str, of: ErrorClass, seconds: float) -> None:
    """Let *what*, in PL/pgSQL, befall every batch for *seconds*; the worker is running, to be struck in the database."""
    with closing(psycopg.connect(run.installation.dsn, autocommit=True)) as stranger, complained_of(run, of):
        for _ in range(strikes):
            strike(run, partial(stranger.execute, _TRIGGER.format(what=what).encode()))
            time.sleep(seconds)
            stranger.execute("DROP FUNCTION stranger CASCADE")
            works_again(run.worker)


@contextmanager
def complained_of(run: Run, kind: ErrorClass) -> Iterator[None]:
    """See that the worker runs into an error of that *kind* in the block."""
    sample = f'vigil_db_errors_total{{class="{kind}"}}'
    before = metric(run.worker, sample)
    yield
    if metric(run.worker, sample) <= before:
        run.wrong.append(f"the worker has met no error of the kind {kind}")
