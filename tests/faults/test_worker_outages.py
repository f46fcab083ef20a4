"""The worker while broker or database are away: it waits, says so, loses nothing and resumes by itself."""

import json
import time

import psycopg
import pytest

from persistence.schema import upgrade
from tests.e2e.installation import Installation, a_reading, eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]


@pytest.fixture
def installation(own_services, topic_prefix, group, tmp_path):
    database = own_services.postgres.create_database()
    upgrade(database.url)
    installation = Installation(
        own_services.kafka.bootstrap_servers, database.url, topic_prefix, group, tmp_path
    )
    made = installation.vigil("topics", "create")
    assert made.returncode == 0, made.stderr
    return installation


def reasons(installation):
    status, body = installation.get("/health/ready")
    return json.loads(body)["reasons"] if status else []


def values(alerts):
    return [json.loads(alert.value())["value"] for alert in alerts]


def stored(installation):
    dsn = installation.database_url.replace("postgresql+asyncpg", "postgresql")
    with psycopg.connect(dsn) as connection:
        return connection.execute("SELECT count(*) FROM readings").fetchone()[0]


def test_a_worker_waits_for_database_and_broker_and_says_for_which(own_services, installation):
    own_services.kafka.stop()
    own_services.postgres.stop()
    with installation.running(is_ready=False) as process:
        eventually(lambda: any("waiting for the database" in reason for reason in reasons(installation)))
        assert installation.get("/health/live")[0] == 200
        own_services.postgres.start()
        eventually(lambda: any("waiting for the broker" in reason for reason in reasons(installation)))
        own_services.kafka.start()
        eventually(lambda: installation.get("/health/ready")[0] == 200, 60)

        installation.produce(a_reading(170))
        assert values(installation.read(installation.topic("alerts.test"), 1)) == [170]
        assert process.poll() is None


def test_a_worker_that_waits_can_be_told_to_stop(own_services, installation):
    own_services.postgres.stop()
    with installation.running(is_ready=False) as process:
        eventually(lambda: reasons(installation))
        process.terminate()

        assert process.wait(10) == 0


def test_a_database_that_goes_away_loses_nothing_and_doubles_nothing(own_services, installation):
    with installation.running() as process:
        installation.produce(a_reading(170, patient_id="P-1"))
        assert values(installation.read(installation.topic("alerts.test"), 1)) == [170]
        own_services.postgres.kill()
        installation.produce(a_reading(171, patient_id="P-2"), key=b"P-2")
        eventually(lambda: reasons(installation))
        assert installation.get("/health/live")[0] == 200
        time.sleep(5)
        installation.produce(a_reading(172, patient_id="P-3"), key=b"P-3")
        own_services.postgres.start()

        eventually(lambda: installation.get("/health/ready")[0] == 200, 60)
        eventually(lambda: stored(installation) == 3)
        alerts = installation.read(installation.topic("alerts.test"), 4, seconds=8)
        assert process.poll() is None

    assert sorted(values(alerts)) == [170, 171, 172]


def test_a_broker_that_goes_away_loses_nothing_and_doubles_nothing(own_services, installation):
    with installation.running() as process:
        installation.produce(a_reading(170, patient_id="P-1"))
        assert values(installation.read(installation.topic("alerts.test"), 1)) == [170]
        own_services.kafka.kill()
        time.sleep(5)
        assert installation.get("/health/live")[0] == 200
        own_services.kafka.start()
        installation.produce(a_reading(171, patient_id="P-2"), key=b"P-2")

        eventually(lambda: stored(installation) == 2, 60)
        alerts = installation.read(installation.topic("alerts.test"), 3, seconds=20)
        eventually(lambda: installation.get("/health/ready")[0] == 200, 60)
        assert process.poll() is None

    assert sorted(values(alerts)) == [170, 171]


def test_a_worker_is_stopped_in_time_while_the_database_is_away(own_services, installation):
    with installation.running() as process:
        own_services.postgres.kill()
        installation.produce(a_reading(170))
        time.sleep(2)
        began = time.monotonic()
        process.terminate()

        assert process.wait(12) == 0
        assert time.monotonic() - began < 10


def test_a_worker_is_stopped_in_time_while_the_broker_is_away(own_services, installation):
    with installation.running() as process:
        own_services.kafka.kill()
        time.sleep(2)
        began = time.monotonic()
        process.terminate()

        assert process.wait(12) == 0
        assert time.monotonic() - began < 10
