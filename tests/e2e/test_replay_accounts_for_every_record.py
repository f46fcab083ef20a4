"""Recordings replayed through a real worker: every record is stored, dead-lettered or a duplicate, once and for all.

The account is drawn up by an independent reader (confluent-kafka, psycopg), not from Vigil's own counters.
"""

import os
import subprocess
from pathlib import Path

import psycopg
import pytest

from deploy.local.accounts import balance, is_at_rest
from deploy.local.vigil import VIGIL, wait_until

ROOT = Path(__file__).parents[2]
MADE_UP = ROOT / "tests" / "recordings"
PUBLISHED = Path(os.environ.get("VIGIL_RECORDINGS_DIR", ROOT.parent / "shared" / "data"))

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(300)]


def recordings_in(folder):
    return sorted(str(path) for path in [*folder.glob("bedside/*.csv"), *folder.glob("icu/*.txt")])


def replay(working_vigil, files):
    """Replay *files* and wait until all has been taken in and answered; what the command said."""
    done = subprocess.run(
        [*VIGIL, "replay", *files, "--admit"], check=False, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    assert wait_until(lambda: is_at_rest(working_vigil), 120)
    return done.stdout


@pytest.mark.parametrize("folder", [MADE_UP, PUBLISHED], ids=["made_up", "published"])
def test_every_record_is_stored_dead_lettered_or_a_duplicate_and_again_changes_nothing(working_vigil, folder):
    files = recordings_in(folder)
    if not files:
        pytest.skip("no recordings: set VIGIL_RECORDINGS_DIR to a folder with bedside/ and icu/")

    said = replay(working_vigil, files)
    first = balance(working_vigil)
    replay(working_vigil, files)
    second = balance(working_vigil)

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


def test_what_is_missing_from_the_database_or_too_much_in_it_is_found(working_vigil):
    replay(working_vigil, recordings_in(MADE_UP))

    with psycopg.connect(working_vigil.dsn) as connection:
        connection.execute(
            "DELETE FROM readings WHERE reading_id = (SELECT min(reading_id::text)::uuid FROM readings)"
        )
        connection.execute("UPDATE readings SET value = value + 1 WHERE vital_sign = 'gcs' AND value = 11")
        connection.execute(
            "DELETE FROM dead_letters WHERE reason = 'impossible_value' AND device_id = 'icu-chart'"
        )

    assert balance(working_vigil).wrong == [
        "readings: 2 in the topics and not in the database",
        "readings: 1 in the database and not in the topics",
        "dead letters: 1 in the topics and not in the database",
    ]
