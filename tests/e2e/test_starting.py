"""How a worker starts, and the one line that each mistake of an operator comes to."""

import re
import socket
from contextlib import closing

import pytest
from confluent_kafka.admin import AdminClient
from sqlalchemy.engine import make_url

from tests.e2e.installation import a_reading, eventually, mistake
from worker.topics import TopicNames

NOBODY = "postgresql+asyncpg://u:geheim@127.0.0.1:1/d"


def test_a_wrong_setting_is_one_line(installation):
    assert "VIGIL_HTTP_PORT" in mistake(installation.vigil("run", VIGIL_HTTP_PORT="no"), 2)


def test_a_protocol_that_is_not_there_is_one_line(installation):
    assert "VIGIL_PROTOCOL" in mistake(installation.vigil("run", VIGIL_PROTOCOL="none.toml"), 2)


@pytest.mark.parametrize(
    "command", [("run", "--wait", "1"), ("topics", "create", "--wait", "1")], ids=lambda given: given[0]
)
def test_a_broker_that_does_not_answer_is_one_line(installation, command):
    finished = installation.vigil(*command, VIGIL_KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")

    assert "the broker at 127.0.0.1:1 gave no answer in 1 s" in mistake(finished, 3)
    assert "VIGIL_KAFKA_SECURITY_PROTOCOL" in mistake(finished, 3)
    assert "aiokafka" not in finished.stderr  # our line that says what is waited for is enough
    assert "waiting_for" in finished.stderr


@pytest.mark.parametrize(
    "command", [("run",), ("db", "upgrade"), ("db", "check"), ("db", "maintain")], ids=lambda given: given[-1]
)
def test_a_database_that_does_not_answer_is_one_line(installation, command):
    finished = installation.vigil(*command, "--wait", "1", VIGIL_DATABASE_URL=NOBODY)

    line = mistake(finished, 3)
    assert "the database at 127.0.0.1:1/d gave no answer in 1 s" in line
    assert "geheim" not in finished.stderr + finished.stdout


def test_a_topic_that_differs_is_one_line_beside_the_table(installation):
    finished = installation.vigil("topics", "create", "--partitions", "3")

    assert installation.topic("readings") in mistake(finished, 2)
    assert finished.stdout.count("3 partitions were asked for") == 7


def test_an_option_out_of_range_is_blamed_itself(installation):
    finished = installation.vigil("topics", "create", "--partitions", "0")

    assert finished.returncode == 2
    assert "--partitions" in finished.stderr
    assert "VIGIL_" not in finished.stderr


def test_a_misspelt_setting_is_told_of_in_the_log(installation):
    finished = installation.vigil("run", "--wait", "1", VIGIL_SITTE="north", VIGIL_DATABASE_URL=NOBODY)

    assert "VIGIL_SITTE" in finished.stderr


def test_migrating_says_where_the_database_is_and_nothing_else(installation, empty_database):
    finished = installation.vigil("db", "upgrade", VIGIL_DATABASE_URL=empty_database.url)

    assert finished.returncode == 0
    assert finished.stdout.startswith("the database is at revision ")
    assert finished.stderr == ""


def test_a_database_that_does_not_exist_is_one_line(installation):
    url = f"{installation.database_url}_none"
    line = mistake(installation.vigil("db", "check", "--wait", "5", VIGIL_DATABASE_URL=url), 2)

    assert "does not exist" in line
    assert "VIGIL_DATABASE_URL" in line


def test_a_missing_topic_is_one_line(installation):
    line = mistake(installation.vigil("run", VIGIL_TOPIC_PREFIX=f"{installation.prefix}none."), 2)

    assert "vigil topics create" in line


def test_unequal_partition_counts_are_one_line(installation):
    from confluent_kafka.admin import NewPartitions  # noqa: PLC0415

    admin = AdminClient({"bootstrap.servers": installation.bootstrap})
    topic = installation.topic("commands")
    admin.create_partitions([NewPartitions(topic, 3)])[topic].result(10)

    eventually(lambda: "same number of partitions" in installation.vigil("run").stderr)
    assert "vitals.commands.v1 3" in mistake(installation.vigil("run"), 2)


def started_and_stopped(installation):
    with installation.running() as process:
        process.terminate()
        process.wait(10)


def test_topics_that_have_grown_leave_the_patients_in_their_lanes(installation):
    from confluent_kafka.admin import NewPartitions  # noqa: PLC0415

    started_and_stopped(installation)
    admin = AdminClient({"bootstrap.servers": installation.bootstrap})
    for grown in admin.create_partitions(
        [NewPartitions(topic, 3) for topic in TopicNames(installation.prefix).all]
    ).values():
        grown.result(10)

    with installation.running():
        for number in range(6):
            installation.produce(a_reading(170, patient_id=f"P-{number}"), key=f"P-{number}".encode())
        alerts = installation.read(installation.topic("alerts.test"), 6)

    assert len(alerts) == 6
    assert {alert.partition() for alert in alerts} <= {0, 1}


@pytest.mark.parametrize("name", ["GROUP", "TOPIC_PREFIX"])
def test_a_database_of_another_vigil_is_one_line(installation, name):
    started_and_stopped(installation)
    for command in (("run",), ("db", "check"), ("db", "maintain"), ("lanes", "status")):
        finished = installation.vigil(*command, **{f"VIGIL_{name}": f"{installation.prefix}other."})

        line = mistake(finished, 2)
        assert "belongs to another Vigil" in line, command
        assert f"its VIGIL_{name} is" in line, command


def test_a_start_that_fails_leaves_the_database_to_whoever_comes(installation):
    mistake(installation.vigil("run", VIGIL_TOPIC_PREFIX=f"{installation.prefix}misspelt."), 2)

    started_and_stopped(installation)


def test_a_schema_that_is_not_migrated_is_one_line(installation, empty_database):
    line = mistake(installation.vigil("run", VIGIL_DATABASE_URL=empty_database.url), 2)

    assert "vigil db upgrade" in line


def test_topics_that_are_stamped_by_producers_are_one_line(installation):
    from confluent_kafka.admin import (  # noqa: PLC0415
        AlterConfigOpType,
        ConfigEntry,
        ConfigResource,
    )

    admin = AdminClient({"bootstrap.servers": installation.bootstrap})
    entry = ConfigEntry("message.timestamp.type", "CreateTime", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource("topic", installation.topic("readings"), incremental_configs=[entry])
    admin.incremental_alter_configs([resource])[resource].result(10)

    assert "LogAppendTime" in mistake(installation.vigil("run"), 2)


def test_a_port_that_is_taken_is_one_line(installation):
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", installation.port))
        taken.listen()

        assert "VIGIL_HTTP_PORT" in mistake(installation.vigil("run"), 2)


def test_the_effective_settings_are_shown_without_secrets(installation):
    finished = installation.vigil("check-config", VIGIL_SITE="north")

    assert finished.returncode == 0
    assert re.search(r"^VIGIL_SITE +environment +north$", finished.stdout, re.MULTILINE)
    assert re.search(r"^protocol ward-adult \S+, hash [0-9a-f]{64}$", finished.stdout, re.MULTILINE)
    assert finished.stdout.splitlines()[-1] == installation.vigil("--version").stdout.strip()
    assert f"127.0.0.1:{make_url(installation.database_url).port}/" in finished.stdout
    password = installation.database_url.split(":")[2].split("@")[0]
    assert password not in finished.stdout
