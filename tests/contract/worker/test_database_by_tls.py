"""A database through TLS: accepted when the certificate is right, refused in one line when something is not."""

import subprocess
import sys
from urllib.parse import urlencode, urlsplit, urlunsplit

import pytest

from deploy.local.certificates import Authority
from deploy.local.services import Database
from deploy.local.tls_postgres import CERTIFIED, ENCRYPTED, TlsPostgres, tls_postgres
from persistence.engine import create_engine
from persistence.unit_of_work import unit_of_work
from tests.conftest import present, program

pytestmark = [pytest.mark.services]


@pytest.fixture(scope="module")
def server():
    program("openssl", package="openssl")
    with present(), tls_postgres() as server:
        for name in (CERTIFIED, ENCRYPTED):
            server.create_database(name)
        yield server


def address(server: TlsPostgres, *, host="localhost", database=ENCRYPTED, **parameters):
    """The address of a database of *server*, with libpq's *parameters*."""
    parts = urlsplit(server.dsn)
    place = f"{parts.username}:{parts.password}@{host}:{parts.port}"
    return Database(
        urlunsplit(parts._replace(netloc=place, path=f"/{database}", query=urlencode(parameters)))
    ).url


def told(url):
    """What a command says that needs the database, and how it ends."""
    done = subprocess.run(
        [sys.executable, "-m", "worker", "db", "check", "--wait", "20"],
        env={"VIGIL_DATABASE_URL": url, "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr.strip()


async def is_encrypted(url):
    engine = create_engine(url)
    try:
        async with unit_of_work(engine) as work:
            asked = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
            return await work.progress._connection.fetchval(asked)
    finally:
        await engine.dispose()


@pytest.mark.parametrize("mode", ["allow", "prefer", "require", "verify-ca", "verify-full"])
async def test_a_right_certificate_is_accepted(server, mode):
    assert await is_encrypted(address(server, sslmode=mode, sslrootcert=server.authority))


async def test_the_name_in_the_certificate_counts_only_for_the_strictest(server):
    assert await is_encrypted(
        address(server, host="127.0.0.1", sslmode="verify-ca", sslrootcert=server.authority)
    )


async def test_without_a_mode_it_is_encrypted_where_that_can_be_had(server):
    assert await is_encrypted(address(server))


async def test_a_certificate_of_ours_is_shown_where_it_is_asked_for(server):
    certificate, key = server.client

    url = address(
        server, database=CERTIFIED, sslmode="verify-full", sslrootcert=server.authority, sslcert=certificate, sslkey=key
    )  # fmt: skip
    assert await is_encrypted(url)


def test_another_authority_is_refused_in_one_line(server, tmp_path):
    other = Authority(tmp_path / "other").file

    code, said = told(address(server, sslmode="verify-full", sslrootcert=other))

    assert code == 2
    assert "shows a certificate that is not accepted" in said.splitlines()[-1]
    assert "sslrootcert (VIGIL_DATABASE_URL)" in said.splitlines()[-1]


def test_another_name_is_refused_in_one_line(server):
    code, said = told(address(server, host="127.0.0.1", sslmode="verify-full", sslrootcert=server.authority))

    assert code == 2
    assert "not valid for '127.0.0.1'" in said.splitlines()[-1]


def test_a_missing_certificate_of_ours_is_refused_in_one_line(server):
    code, said = told(
        address(server, database=CERTIFIED, sslmode="verify-full", sslrootcert=server.authority)
    )

    assert code == 2
    assert "valid client certificate" in said.splitlines()[-1]


def test_a_file_that_holds_no_certificate_is_told_in_one_line(server, tmp_path):
    (tmp_path / "empty.pem").write_text("nothing")

    code, said = told(address(server, sslmode="verify-full", sslrootcert=tmp_path / "empty.pem"))

    assert code == 2
    assert "sslrootcert" in said.splitlines()[-1]


def test_a_server_without_tls_is_told_in_one_line(postgres, database):
    code, said = told(f"{database.url}?sslmode=require")

    assert code == 2
    assert "offers no TLS, which sslmode asks for" in said.splitlines()[-1]


def test_going_without_tls_where_it_is_demanded_is_told_in_one_line(server):
    code, said = told(address(server, sslmode="disable"))

    assert code == 2
    assert "refuses" in said.splitlines()[-1]
