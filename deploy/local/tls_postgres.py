"""A PostgreSQL that speaks TLS, with an authority of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.certificates import Authority
from deploy.local.errors import ServiceUnavailableError, SourceUnavailableError
from deploy.local.postgres import LocalPostgres
from deploy.local.processes import LOOPBACK
from deploy.local.workspace import Workspace

CERTIFIED = "certified"
"""The database that wants a certificate of its clients."""

ENCRYPTED = "encrypted"
"""The database that is had through TLS only."""

_RULES = f"""\
hostssl   {CERTIFIED} all {LOOPBACK}/32 scram-sha-256 clientcert=verify-ca
hostnossl {CERTIFIED} all {LOOPBACK}/32 reject
hostnossl {ENCRYPTED} all {LOOPBACK}/32 reject
host      all         all {LOOPBACK}/32 scram-sha-256
"""


class TlsPostgres(LocalPostgres):
    """Its certificate is good for `localhost`, and not for the number of that address."""

    @property
    def authority(self) -> Path:
        """The file by which its clients know it."""
        return self._certificates / "authority.pem"

    @property
    def client(self) -> tuple[Path, Path]:
        """A certificate that it accepts of a client, and the key."""
        return self._certificates / "client.pem", self._certificates / "client.key"

    def prepare(self) -> None:
        super().prepare()
        authority = Authority(self._certificates)
        authority.sign("client")
        server = authority.sign("server", "DNS:localhost")
        for file in (server.key, server.certificate, authority.file):
            self.account.owns(file)
        (self.folder / "data" / "pg_hba.conf").write_text(_RULES)

    def settings(self) -> dict[str, str]:
        return {
            **super().settings(),
            "ssl": "on",
            "ssl_cert_file": str(self._certificates / "server.pem"),
            "ssl_key_file": str(self._certificates / "server.key"),
            "ssl_ca_file": str(self.authority),
        }

    @property
    def _certificates(self) -> Path:
        return self._workspace.folder / "certificates"


@contextmanager
def tls_postgres() -> Iterator[TlsPostgres]:
    """Lend one; it ends with the block. Raises ServiceUnavailableError."""
    with Workspace() as workspace:
        try:
            server = TlsPostgres.find(workspace, print)
        except SourceUnavailableError as error:
            raise ServiceUnavailableError(
                "PostgreSQL", [str(error)], otherwise="it (Debian: postgresql)"
            ) from error
        server.start()
        yield server
