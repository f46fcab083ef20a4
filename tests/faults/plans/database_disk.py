"""The database's disk full: a small file system holds its tables, and a stranger fills it."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from deploy.local import Place, Services, local_services
from deploy.local.postgres import ROLE, Account
from persistence.errors import ErrorClass
from tests.faults.acting import IN_DATABASE, start_to_be_struck, strike, works_again
from tests.faults.kinds import Kind
from tests.faults.plan import Plan
from tests.faults.running import Run
from tests.faults.strangers import complained_of, trouble

_SIZE = "128m"
_BLOCK = b"\0" * 16384
_FULL_SECONDS = 10.0
_AS_IF = "RAISE EXCEPTION USING ERRCODE = 'disk_full'"


@contextmanager
def on_a_small_disk() -> Iterator[Services]:
    """Lend a broker, and a database whose tables are made on a small file system where one may be mounted."""
    with _small_disk() as folder, local_services(places=[Place.PROCESSES]) as services:
        if folder is not None:
            with closing(psycopg.connect(services.postgres.dsn, autocommit=True)) as connection:
                connection.execute(
                    sql.SQL("CREATE TABLESPACE small LOCATION {}").format(sql.Literal(str(folder)))
                )
                connection.execute(
                    sql.SQL("ALTER ROLE {} SET default_tablespace = small").format(sql.Identifier(ROLE))
                )
        yield services


@contextmanager
def _small_disk() -> Iterator[Path | None]:
    """A file system of a few megabytes, in memory; None where we may not mount one."""
    with tempfile.TemporaryDirectory(prefix="vigil-disk-") as name:
        Path(name).chmod(0o755)
        folder = Path(name) / "disk"
        folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", str(folder)]
        if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
            yield None
            return
        try:
            Account.for_servers().owns(folder)
            yield folder
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill_disk(run: Run, strikes: int) -> None:
    """Fill the disk for a while; where none could be made small, let every batch be told that it is full."""
    start_to_be_struck(run, IN_DATABASE)
    folder = _disk_of(run)
    if folder is None:
        trouble(run, strikes, what=_AS_IF, of=ErrorClass.RESOURCES, seconds=_FULL_SECONDS)
        return
    ballast = folder / "ballast"
    for _ in range(strikes):
        with complained_of(run, ErrorClass.RESOURCES):
            strike(run, lambda: _fill(ballast))
            time.sleep(_FULL_SECONDS)
            ballast.unlink()
            works_again(run.worker)


def _disk_of(run: Run) -> Path | None:
    query = "SELECT pg_tablespace_location(oid) FROM pg_tablespace WHERE spcname = 'small'"
    with closing(psycopg.connect(run.installation.dsn)) as connection:
        found = connection.execute(query).fetchone()
    return None if found is None else Path(found[0])


def _fill(ballast: Path) -> None:
    """Write until nothing more can be written."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(_BLOCK)
        except OSError:  # no space left on device
            return


def _plan(strikes: int) -> Plan:
    return Plan(
        fault="the database's disk full",
        kind=Kind.DATABASE,
        act=fill_disk,
        strikes=strikes,
        seconds=15 + 15 * strikes,
        services=on_a_small_disk,
    )


MATRIX = [_plan(3)]
SHORT = [_plan(1)]
