"""PostgreSQL as a local process, from the system's own binaries."""

import contextlib
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from deploy.local.configuration import POSTGRES_SETTINGS
from deploy.local.errors import SourceUnavailableError
from deploy.local.kafka_distribution import Say
from deploy.local.processes import LOOPBACK, LocalProcess, accepts_connections
from deploy.local.services import Postgres
from deploy.local.workspace import Program, Workspace

ROLE = "vigil"
_SHARED_MEMORY_LINE = 6  # of postmaster.pid: key and id
# PostgreSQL refuses to run as root; the first of these that exists runs it then.
_UNPRIVILEGED = ("postgres", "nobody")
_USUAL_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
# Here, not in the shared settings: only a process on this machine can be told so.
_LOOPBACK_ONLY = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    # In the data folder, which is removed, and not in /dev/shm, where a killed server leaves them.
    "dynamic_shared_memory_type": "mmap",
}


@dataclass(frozen=True, slots=True)
class Account:
    """The user a server runs as; None and None: ourselves."""

    user: int | None
    group: int | None

    @classmethod
    def for_servers(cls) -> "Account":
        if os.geteuid() != 0:
            return cls(None, None)
        known = {entry.pw_name: entry for entry in pwd.getpwall()}
        for name in _UNPRIVILEGED:
            if name in known:
                return cls(known[name].pw_uid, known[name].pw_gid)
        raise SourceUnavailableError(
            f"local processes: PostgreSQL cannot run as root, and none of {_UNPRIVILEGED} exists"
        )

    def owns(self, folder: Path) -> None:
        if self.user is not None and self.group is not None:
            os.chown(folder, self.user, self.group)

    def can_work_in(self, folder: Path) -> bool:
        test = ["/bin/sh", "-c", 'test -w "$1" && test -x "$1"', "sh", str(folder)]
        groups: list[int] | None = None if self.group is None else []
        done = subprocess.run(
            test, check=False, user=self.user, group=self.group, extra_groups=groups, cwd="/"
        )
        return done.returncode == 0


class LocalPostgres(LocalProcess, Postgres):
    """A server with one superuser role, whose password is made for this run."""

    graceful: ClassVar[signal.Signals] = signal.SIGINT  # "fast": ends sessions, writes a checkpoint

    def __init__(self, workspace: Workspace, binaries: Path, account: Account, folder: Path) -> None:
        super().__init__(workspace, folder)
        self.log_path = folder / "postgres.log"
        self._binaries = binaries
        self.account = account
        self._password = secrets.token_urlsafe(16)

    @classmethod
    def find(cls, workspace: Workspace, say: Say) -> Self:
        binaries = find_binaries()
        account = Account.for_servers()
        return cls(workspace, binaries, account, _folder(workspace, account, say))

    @property
    def dsn(self) -> str:
        # The database of the initial role; `create_database` gives empty ones.
        return f"postgresql://{ROLE}:{self._password}@{self.address}/postgres"

    def prepare(self) -> None:
        secret = self.folder / "password"
        secret.touch(mode=0o600)
        secret.write_text(self._password)
        self.account.owns(secret)
        options = (
            f"--pwfile={secret}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
        )
        self.run_to_end(self._run("initdb", f"--username={ROLE}", *options))
        secret.unlink()

    def program(self) -> Program:
        return self._run("postgres", *(f"--{key}={value}" for key, value in self.settings().items()))

    def settings(self) -> dict[str, str]:
        return {**POSTGRES_SETTINGS, **_LOOPBACK_ONLY, "port": str(self.port)}

    def kill(self) -> None:
        super().kill()
        self._give_back_shared_memory()

    def answers(self) -> bool:
        return accepts_connections(self.port) and super().answers()

    def _give_back_shared_memory(self) -> None:
        """Remove the few bytes by which a second server would have known of the one that was killed."""
        with contextlib.suppress(OSError, IndexError):
            lines = (self.folder / "data" / "postmaster.pid").read_text().splitlines()
            segment = lines[_SHARED_MEMORY_LINE].split()[1]
            subprocess.run(["ipcrm", "-m", segment], check=False, capture_output=True)

    def _run(self, binary: str, *arguments: str) -> Program:
        data = ("-D", str(self.folder / "data"))
        return Program(
            arguments=[str(self._binaries / binary), *data, *arguments],
            log=self.log_path,
            folder=self.folder,
            farewell=signal.SIGQUIT,  # at once, yet it gives its shared memory back
            user=self.account.user,
            group=self.account.group,
        )


def find_binaries() -> Path:
    """Return the folder that holds both initdb and postgres."""
    for folder in _candidates():
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise SourceUnavailableError(
        "local processes: no initdb and postgres in PATH, pg_config --bindir or the usual folders"
    )


def _candidates() -> Iterator[Path]:
    # A link in PATH is followed: initdb looks for its server beside itself.
    if found := shutil.which("initdb"):
        yield Path(found).resolve().parent
    if pg_config := shutil.which("pg_config"):
        answer = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
        yield Path(answer.stdout.strip() or "/nonexistent")
    for pattern in _USUAL_FOLDERS:
        yield from sorted(Path("/").glob(pattern.lstrip("/")), key=_version, reverse=True)


def _version(folder: Path) -> int:
    digits = re.search(r"\d+", folder.parent.name)
    return int(digits[0]) if digits else 0


def _folder(workspace: Workspace, account: Account, say: Say) -> Path:
    """Make the server's folder in the workspace, or in the system's if its user cannot reach that."""
    folder = workspace.folder / "postgres"
    folder.mkdir(mode=0o700)
    account.owns(folder)
    if account.can_work_in(folder):
        return folder
    elsewhere = Path(tempfile.mkdtemp(prefix="vigil-postgres-"))
    workspace.remove_at_end(elsewhere)
    account.owns(elsewhere)
    say(f"the user that PostgreSQL runs as cannot reach {folder}; its data are in {elsewhere}")
    return elsewhere
