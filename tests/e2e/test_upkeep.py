"""`vigil db maintain` beside a running worker: old things go, and nobody notices anything else."""

import json
from contextlib import closing

import psycopg
import pytest

from tests.e2e.installation import Installation, a_reading

pytestmark = pytest.mark.timeout(120)


def in_database(installation, *statements):
    """Carry out *statements*; returns what the last one gives."""
    dsn = installation.database_url.replace("postgresql+asyncpg", "postgresql")
    with closing(psycopg.connect(dsn, autocommit=True)) as connection:
        for statement in statements:
            cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_what_is_past_its_age_goes_and_the_worker_goes_on(installation):
    alerts = installation.topic("alerts")
    with installation.running():
        for value in (170, 80, 175):
            installation.produce(a_reading(value, mode="real"))
        assert len(installation.read(alerts, 3)) == 3
        before = in_database(
            installation,
            "UPDATE outbox SET recorded_at = recorded_at - interval '60 days'",
            "CREATE TABLE readings_2020_01 PARTITION OF readings FOR VALUES FROM ('2020-01-01') TO ('2020-02-01')",
            "SELECT lane, max(seq) FROM outbox GROUP BY lane",
        )

        kept = installation.vigil("db", "maintain", "--keep-all")
        upkeep = installation.vigil("db", "maintain")
        installation.produce(a_reading(81, mode="real"))

        assert (kept.returncode, upkeep.returncode) == (0, 0), kept.stderr + upkeep.stderr
        assert "removed" not in kept.stdout
        assert "months of readings dropped: readings_2020_01" in upkeep.stdout
        assert "rows removed: 5 of outbox" in upkeep.stdout
        phases = [json.loads(each.value())["phase"] for each in installation.read(alerts, 5, seconds=6)]
        assert phases == ["start", "end", "start", "end"]
        assert installation.get("/health/ready")[0] == 200
    ((lane, cursor),) = before
    assert in_database(installation, "SELECT lane, min(seq) FROM outbox GROUP BY lane") == [(lane, cursor)]
    with installation.running():  # it takes the lane from the row of its cursor
        assert installation.vigil("lanes", "status").returncode == 0
        assert installation.vigil("audit").returncode == 0


def test_nothing_is_removed_while_a_lane_needs_a_repair_and_months_are_made_all_the_same(installation):
    with installation.running():
        installation.produce(a_reading(170, mode="real"))
        assert len(installation.read(installation.topic("alerts"), 1)) == 1
    in_database(
        installation, "UPDATE outbox SET nonce = gen_random_uuid(), recorded_at = now() - interval '1 year'"
    )
    held = in_database(installation, "SELECT count(*) FROM outbox")

    upkeep = installation.vigil("db", "maintain")

    assert upkeep.returncode == 2
    assert "run `vigil lanes repair" in upkeep.stderr.splitlines()[-1]
    assert in_database(installation, "SELECT count(*) FROM outbox") == held
    assert in_database(
        installation, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'readings'::regclass"
    ) == [(5,)]


def test_two_wishes_that_contradict_each_other_are_one_line(installation):
    refused = installation.vigil("db", "maintain", "--prune", "--keep-all")

    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)


def test_an_upgrade_waits_for_whoever_holds_a_table_and_says_so(
    kafka_bootstrap, empty_database, topic_prefix, tmp_path
):
    installation = Installation(
        kafka_bootstrap, empty_database.url, topic_prefix, f"{topic_prefix}vigil", tmp_path
    )
    assert installation.vigil("db", "upgrade").returncode == 0
    in_database(
        installation, "UPDATE alembic_version SET version_num = '0011'", "ALTER TABLE progress DROP COLUMN received_at",
        "DROP TABLE IF EXISTS dead_letter_replays, input_pauses",
    )  # fmt: skip
    dsn = installation.database_url.replace("postgresql+asyncpg", "postgresql")
    with closing(psycopg.connect(dsn)) as stranger:
        stranger.execute("LOCK TABLE progress IN ACCESS SHARE MODE")
        refused = installation.vigil("db", "upgrade", "--wait", "1")

    assert refused.returncode == 3
    assert "somebody holds a table that a migration changes" in refused.stderr.splitlines()[-1]
