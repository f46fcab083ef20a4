"""`vigil census` as an operator runs it: told by the database, without it by the last heartbeats, and never stale."""

import asyncio
import json
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest

from tests.e2e.installation import Installation, a_reading, eventually, free_port
from worker.census import census_now
from worker.census_told import as_json
from worker.protocols import load_protocol
from worker.settings import Settings

pytestmark = [pytest.mark.services, pytest.mark.timeout(150)]


@pytest.fixture
def installation(kafka_bootstrap, database, topic_prefix, group, tmp_path):
    installation = Installation(kafka_bootstrap, database.url, topic_prefix, group, tmp_path)
    made = installation.vigil("topics", "create")
    assert made.returncode == 0, made.stderr
    return installation


def admit(installation, patient_id, ward="7B", bed="1"):
    command = {
        "schema_version": 1, "command": "admit", "command_id": str(uuid4()), "patient_id": patient_id,
        "issued_at": datetime.now(UTC).isoformat(), "mode": "test", "ward": ward, "bed": bed,
    }  # fmt: skip
    installation.produce(json.dumps(command), topic="commands", key=patient_id.encode())


def send(installation, patient_id):
    reading = a_reading(80, patient_id=patient_id, device_id=f"mon-{patient_id}", acquisition="continuous")
    installation.produce(reading, key=patient_id.encode())


def census(installation, **more):
    """What `vigil census --json` prints, without a process for each question."""
    settings = Settings(
        _env_file=None,
        kafka_bootstrap_servers=installation.bootstrap,
        topic_prefix=installation.prefix,
        group=installation.group,
        heartbeat_interval=1,
        **({"database_url": installation.database_url} | more),
    )
    return json.loads(as_json(asyncio.run(census_now(settings, load_protocol("ward-adult"), wait=1))))


def states(told):
    return {each["patient_id"]: (each["state"], each["reason"]) for each in told["patients"]}


def admitted(installation):
    with psycopg.connect(installation.database_url.replace("postgresql+asyncpg", "postgresql")) as connection:
        return connection.execute("SELECT count(*) FROM charts WHERE ward IS NOT NULL").fetchone()[0]


def test_a_census_names_everybody_and_outlives_database_and_worker(installation):
    installation.more["VIGIL_HEARTBEAT_INTERVAL"] = "1"
    nowhere = f"127.0.0.1:{free_port()}"
    no_database = {"database_url": f"postgresql+asyncpg://vigil@{nowhere}/vigil"}
    with installation.running():
        for number in range(1, 4):
            admit(installation, f"P-{number}", ward="7B" if number < 3 else "8A", bed=str(number))
        send(installation, "P-1")
        eventually(lambda: states(census(installation)).get("P-1") == ("watched", None), 40)

        told = census(installation)
        assert states(told) == {
            "P-1": ("watched", None),
            "P-2": ("not_watched", "no_data_yet"),
            "P-3": ("not_watched", "no_data_yet"),
        }
        assert told["source"] == "database"
        assert told["counts"] == {"watched": 1, "partly": 0, "not_watched": 2}
        assert sum(told["counts"].values()) == len(told["patients"]) == admitted(installation)

        shown = 'vigil_patients_watched{mode="test",state="watched",ward="7B"} 1.0'
        eventually(lambda: shown in installation.get("/metrics")[1])
        eventually(lambda: census(installation, **no_database)["counts"]["watched"] == 1)
        told = census(installation, **no_database)
        assert (told["source"], told["patients"]) == ("heartbeats", [])
        assert told["wards"] == [
            {"ward": "7B", "mode": "test", "watched": 1, "partly": 0, "not_watched": 1},
            {"ward": "8A", "mode": "test", "watched": 0, "partly": 0, "not_watched": 1},
        ]

    eventually(lambda: census(installation, **no_database)["counts"]["watched"] == 0)
    told = census(installation, **no_database)
    assert told["counts"] == {"watched": 0, "partly": 0, "not_watched": 3}
    assert told["since"] is not None
    page = installation.vigil("watch", "--once").stdout
    assert page.startswith("0 watched, 0 partly, 3 not watched: nobody evaluates since ")

    eventually(lambda: states(census(installation))["P-1"] == ("not_watched", "nobody_evaluates"), 40)
    table = installation.vigil("census", "--ward", "7B")
    assert table.returncode == 4
    assert table.stdout.startswith("0 watched, 0 partly, 2 not watched\n")
    assert "nobody evaluates" in table.stdout


def test_where_neither_database_nor_broker_answers_nobody_is_known_to_be_watched(tmp_path):
    nowhere = f"127.0.0.1:{free_port()}"
    installation = Installation(nowhere, f"postgresql+asyncpg://vigil@{nowhere}/vigil", "", "vigil", tmp_path)

    asked = installation.vigil("census", "--json", "--wait", "0.5")

    assert asked.returncode == 3
    told = json.loads(asked.stdout)
    assert (told["source"], told["counts"], told["patients"]) == ("none", None, [])
