"""PgBouncer as a local process in front of a PostgreSQL: the system's own, else the distribution's package."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit, urlunsplit

import psycopg

from deploy.local.configuration import LOCAL_FOLDER
from deploy.local.errors import ServiceUnavailableError, SourceUnavailableError
from deploy.local.postgres import Account
from deploy.local.processes import LocalProcess, accepts_connections
from deploy.local.services import Database
from deploy.local.workspace import Program, Workspace, exclusive

_PACKAGES = (
    "pgbouncer",
    "libc-ares2",
    "libevent-2.1-7",
)  # what a plain system lacks of what it is linked with
_KEPT = LOCAL_FOLDER / "pgbouncer"
_FETCH_SECONDS = 120


class LocalPgBouncer(LocalProcess):
    """A pooler in transaction mode: each transaction may meet another server connection, and few there are."""

    name = "PgBouncer"
    stop_seconds: ClassVar[float] = 5.0

    def __init__(
        self,
        workspace: Workspace,
        server: str,
        *,
        settings: Mapping[str, str] | None = None,
        connections: int = 4,
    ) -> None:
        """Stand before the server that *server*, a libpq address, names; *settings* come on top of ours."""
        super().__init__(workspace, workspace.folder / "pgbouncer")
        self.log_path = self.folder / "pgbouncer.log"
        self._server = urlsplit(server)
        self._binary, self._libraries = find_pgbouncer()
        self._account = Account.for_servers()
        self._settings = {"default_pool_size": str(connections), **(settings or {})}

    def in_front_of(self, database: Database) -> Database:
        """The same database, through us."""
        address = urlsplit(database.dsn)
        place = f"{address.username}:{address.password}@{self.address}"
        return Database(urlunsplit(address._replace(netloc=place)))

    def prepare(self) -> None:
        self.folder.mkdir()
        self._account.owns(self.folder)
        users = self.folder / "users.txt"
        users.touch(mode=0o600)
        users.write_text(f'"{self._server.username}" "{self._server.password}"\n')
        self._account.owns(users)
        self._configuration.write_text(self._text())

    def program(self) -> Program:
        arguments = [
            "env",
            f"LD_LIBRARY_PATH={self._libraries or ''}",
            str(self._binary),
            str(self._configuration),
        ]
        return Program(
            arguments=arguments,
            log=self.log_path,
            folder=self.folder,
            user=self._account.user,
            group=self._account.group,
        )

    def answers(self) -> bool:
        if not accepts_connections(self.port):
            return False
        try:
            with psycopg.connect(self.in_front_of(Database(self._server.geturl())).dsn, connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    @property
    def _configuration(self) -> Path:
        return self.folder / "pgbouncer.ini"

    def _text(self) -> str:
        settings = {
            "listen_addr": "127.0.0.1",
            "listen_port": str(self.port),
            "unix_socket_dir": "",
            "pool_mode": "transaction",
            "auth_type": "scram-sha-256",
            "auth_file": str(self.folder / "users.txt"),
            "max_client_conn": "200",
            "server_login_retry": "1",  # 15 s by default, in which a server that is back is not asked
            "server_round_robin": "1",  # never the same server connection twice running, if there is another
            **self._settings,
        }
        told = "".join(f"{name} = {value}\n" for name, value in settings.items())
        return f"[databases]\n* = host={self._server.hostname} port={self._server.port}\n[pgbouncer]\n{told}"


def find_pgbouncer() -> tuple[Path, Path | None]:
    """The program, and the folder of the libraries it needs, if that is not the system's own."""
    if found := shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin"):
        return Path(found), None
    try:
        folder = _fetched()
    except SourceUnavailableError as error:
        reasons = ["local processes: no pgbouncer in PATH or /usr/sbin", str(error)]
        raise ServiceUnavailableError("PgBouncer", reasons, otherwise="it (Debian: pgbouncer)") from error
    (events,) = folder.glob("usr/lib/*/libcares.so.2")
    return folder / "usr" / "sbin" / "pgbouncer", events.parent


def _fetched() -> Path:
    """Unpack Debian's package into a folder of our own: nothing is installed, no service is started."""
    with exclusive(LOCAL_FOLDER / "pgbouncer.lock"):
        if not _KEPT.exists():
            partial = _KEPT.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            _run(["apt-get", "download", "--quiet", *_PACKAGES], partial)
            for package in partial.glob("*.deb"):
                _run(["dpkg", "-x", str(package), str(partial)], partial)
            partial.rename(_KEPT)
    return _KEPT


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=_FETCH_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SourceUnavailableError(
            f"local processes: {command[0]} cannot be run: {type(error).__name__}"
        ) from error
    if done.returncode != 0:
        raise SourceUnavailableError(
            f"local processes: {' '.join(command[:2])} failed: {done.stderr.strip()[:200]}"
        )
