"""Vigil on a PostgreSQL that it reaches by TLS only, and through a pooler that lends each transaction another connection."""

import json
from urllib.parse import urlencode

import pytest

from deploy.local.certificates import Authority
from deploy.local.pgbouncer import LocalPgBouncer
from deploy.local.services import Database
from deploy.local.tls_postgres import ENCRYPTED, tls_postgres
from tests.conftest import present, program
from tests.e2e.installation import Installation, a_reading, eventually

pytestmark = [pytest.mark.services, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def server():
    program("openssl", package="openssl")
    with present(), tls_postgres() as server:
        server.create_database(ENCRYPTED)
        yield server


@pytest.fixture
def pooler(pgbouncer, server):
    """Speaks TLS on both sides, and checks the server's certificate."""
    own = Authority(server.folder.parent / "pooler").sign("pooler", "DNS:localhost", "IP:127.0.0.1")
    for file in (own.certificate, own.key):
        server.account.owns(file)
    settings = {
        "client_tls_sslmode": "require",
        "client_tls_cert_file": str(own.certificate),
        "client_tls_key_file": str(own.key),
        "server_tls_sslmode": "verify-ca",
        "server_tls_ca_file": str(server.authority),
    }
    pooler = LocalPgBouncer(server._workspace, server.dsn, settings=settings, connections=6)
    pooler.start()
    yield pooler
    pooler.stop()


@pytest.fixture
def installation(pooler, server, kafka_bootstrap, topic_prefix, group, tmp_path):  # noqa: PLR0917
    authority = server.folder.parent / "pooler" / "authority.pem"
    parameters = urlencode({"sslmode": "verify-full", "sslrootcert": authority})
    pooled = pooler.in_front_of(Database(server.dsn.replace("/postgres", f"/{ENCRYPTED}")))
    installation = Installation(kafka_bootstrap, f"{pooled.url}?{parameters}", topic_prefix, group, tmp_path)
    for command in (("db", "upgrade"), ("topics", "create")):
        done = installation.vigil(*command)
        assert done.returncode == 0, done.stderr
    return installation


def values(installation, count):
    alerts = installation.read(installation.topic("alerts.test"), count, seconds=4)
    return sorted(json.loads(alert.value())["value"] for alert in alerts)


def test_a_worker_through_tls_and_a_pooler_is_killed_and_nothing_is_lost_or_doubled(installation, pooler):
    with installation.running() as process:
        installation.produce(a_reading(170, patient_id="P-1"), key=b"P-1")
        assert values(installation, 1) == [170]
        process.kill()
    with installation.running() as process:
        installation.produce(a_reading(171, patient_id="P-2"), key=b"P-2")
        assert values(installation, 2) == [170, 171]
        pooler.kill()
        installation.produce(a_reading(172, patient_id="P-3"), key=b"P-3")
        pooler.start()

        eventually(lambda: len(values(installation, 3)) == 3, 60)
        eventually(lambda: installation.get("/health/ready")[0] == 200, 60)
        assert process.poll() is None
        for command in (
            ("db", "check"), ("db", "maintain", "--prune"), ("lanes", "status"), ("watch", "--once")
        ):  # fmt: skip
            done = installation.vigil(*command)
            assert done.returncode == 0, (command, done.stderr)
        process.terminate()
        assert process.wait(10) == 0

    assert values(installation, 4) == [170, 171, 172]
