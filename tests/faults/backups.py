"""A backup of a running Vigil's database, and its restore beside it, as persistence/README.md tells operators."""

import subprocess
from contextlib import closing
from pathlib import Path
from shutil import which

import psycopg
from psycopg import sql

from deploy.local import Database

_TOOLS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))


def _tool(name: str) -> str:
    found = which(name) or next(
        (str(each / name) for each in reversed(_TOOLS) if (each / name).exists()), None
    )
    assert found is not None, f"{name} is needed: install postgresql-client"
    return found


def take(database: Database, file: Path) -> None:
    """What `pg_dump` makes of it while it is written to: one moment of it."""
    subprocess.run([_tool("pg_dump"), "-Fc", "-f", str(file), database.dsn], check=True)


def restore(database: Database, file: Path) -> None:
    """Restore *file* beside *database*, let it take its place within a moment, and drop the former one."""
    beside, former = f"{database.name}_restored", f"{database.name}_former"
    with closing(_connected(database, "postgres")) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(beside)))
        address = psycopg.conninfo.make_conninfo(database.dsn, dbname=beside)
        subprocess.run(
            [_tool("pg_restore"), "--no-owner", "--exit-on-error", "-d", address, str(file)], check=True
        )
        _swap(server, database.name, beside, former)
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(former)))


def _swap(server: psycopg.Connection, name: str, beside: str, former: str) -> None:
    """Let nobody in, send away who is there, rename: workers lose their connections and come back to the other one."""
    server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
    server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
    for before, after in ((name, former), (beside, name)):
        server.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(before), sql.Identifier(after))
        )


def _connected(database: Database, name: str) -> psycopg.Connection:
    return psycopg.connect(psycopg.conninfo.make_conninfo(database.dsn, dbname=name), autocommit=True)
