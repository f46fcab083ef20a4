"""Recordings replayed through a real worker: every record is stored, dead-lettered or a duplicate, once and for all.

The account is drawn up by an independent reader (confluent-kafka, psycopg), not from Vigil's own counters.
"""

import os
import subprocess
from pathlib import Path

import psycopg
import pytest

from deploy.local.accounts import Installation, balance, is_at_rest
from deploy.local.processes import LOOPBACK, free_port
from deploy.local.vigil import VIGIL, vigil, wait_until, worker
from deploy.local.workspace import Workspace

ROOT = Path(__file__).parents[2]
MADE_UP = ROOT / "tests" / "recordings"
PUBLISHED = Path(os.environ.get("VIGIL_RECORDINGS_DIR", ROOT.parent / "shared" / "data"))

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(300)]


def recordings_in(folder):
    return sorted(str(path) for path in [*folder.glob("bedside/*.csv"), *folder.glob("icu/*.txt")])


@pytest.fixture
def installation(kafka_bootstrap, database, topic_prefix, group, monkeypatch):
    """A worker on topics and tables of its own."""
    port = free_port()
    for name, value in {
        "KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap,
        "DATABASE_URL": database.url,
        "TOPIC_PREFIX": topic_prefix,
        "GROUP": group,
        "HTTP_PORT": str(port),
    }.items():
        monkeypatch.setenv(f"VIGIL_{name}", value)
    vigil("topics", "create")
    with Workspace() as workspace, worker(workspace, f"http://{LOOPBACK}:{port}/health/ready"):
        yield Installation(
            bootstrap_servers=kafka_bootstrap, dsn=database.dsn, topic_prefix=topic_prefix, group=group
        )


def replay(installation, files):
    """Replay *files* and wait until all has been taken in and answered; what the command said."""
    done = subprocess.run(
        [*VIGIL, "replay", *files, "--admit"], check=False, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    assert wait_until(lambda: is_at_rest(installation), 120)
    return done.stdout


@pytest.mark.parametrize("folder", [MADE_UP, PUBLISHED], ids=["made_up", "published"])
def test_every_record_is_stored_dead_lettered_or_a_duplicate_and_again_changes_nothing(installation, folder):
    files = recordings_in(folder)
    if not files:
        pytest.skip("no recordings: set VIGIL_RECORDINGS_DIR to a folder with bedside/ and icu/")

    said = replay(installation, files)
    first = balance(installation)
    replay(installation, files)
    second = balance(installation)

    assert first.wrong == []
    assert first.sent == first.stored + first.rejected + first.duplicates
    assert f"{first.sets:,} sets, {first.sent:,} readings" in said
    assert min(first.stored, first.rejected, first.alerts.total()) > 0
    assert second.wrong == []
    assert second.stored == first.stored
    assert second.alerts == first.alerts
    assert second.commands == first.commands
    assert second.rejected == 2 * first.rejected
    assert second.duplicates == 2 * first.duplicates + first.stored


def test_what_is_missing_from_the_database_or_too_much_in_it_is_found(installation):
    replay(installation, recordings_in(MADE_UP))

    with psycopg.connect(installation.dsn) as connection:
        connection.execute(
            "DELETE FROM readings WHERE reading_id = (SELECT min(reading_id::text)::uuid FROM readings)"
        )
        connection.execute("UPDATE readings SET value = value + 1 WHERE vital_sign = 'gcs' AND value = 11")
        connection.execute(
            "DELETE FROM dead_letters WHERE reason = 'impossible_value' AND device_id = 'icu-chart'"
        )

    assert balance(installation).wrong == [
        "readings: 2 in the topics and not in the database",
        "readings: 1 in the database and not in the topics",
        "dead letters: 1 in the topics and not in the database",
    ]
