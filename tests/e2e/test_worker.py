"""The worker as an operator runs it: a process of its own, a real broker, a real database."""

import json
import re
import signal
import socket
import time
from contextlib import closing

import psycopg
import pytest
from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient, NewTopic
from sqlalchemy.engine import make_url

from tests.e2e.installation import Installation, a_reading, eventually
from worker.topics import TopicNames


@pytest.fixture
def installation(kafka_bootstrap, database_url, topic_prefix, group, tmp_path):
    installation = Installation(kafka_bootstrap, database_url, topic_prefix, group, tmp_path)
    assert installation.vigil("topics", "create").returncode == 0
    return installation


@pytest.fixture
def produce(installation):
    return installation.produce


@pytest.fixture
def read(installation):
    return installation.read


def test_a_reading_goes_in_and_its_alert_comes_out(installation, produce, read):
    with installation.running():
        produce(a_reading(170, mode="real"))

        (alert,) = read(installation.topic("alerts"), 1)

    said = json.loads(alert.value())
    headers = dict(alert.headers())
    assert (said["phase"], said["priority"], said["value"]) == ("start", "high", 170)
    assert headers["ce_sequence"] == b"%020d" % 1
    assert alert.key() == b"P-1"
    (state,) = read(installation.topic("alarm-state"), 1)
    assert state.value() is not None


def test_what_faststream_counts_is_served_beside_our_own(installation, produce, read):
    with installation.running():
        produce(a_reading(170))
        read(installation.topic("alerts.test"), 1)
        metrics = installation.get("/metrics")[1]

    topic = installation.topic("readings")
    counted = f'faststream_received_messages_total{{app_name="vigil",broker="kafka",handler="{topic}"}} 1.0'
    assert counted in metrics


def test_data_that_is_not_real_never_pages(installation, produce, read):
    with installation.running():
        produce(a_reading(170, mode="test"))
        (alert,) = read(installation.topic("alerts.test"), 1)

    assert json.loads(alert.value())["mode"] == "test"
    assert read(installation.topic("alerts"), 1, seconds=2) == []


HOSTILE = [
    ("null", None),
    ("binary", b"\xff\xfe\x00\x80"),
    ("reply_to", b"elsewhere"),
    ("correlation_id", b"\xff\xff"),
    ("content-type", b"\xc3\x28"),
    ("", b""),
]


def test_hostile_headers_cost_nothing_and_reply_to_is_not_obeyed(installation, produce, read):
    elsewhere = f"{installation.prefix}elsewhere"
    admin = AdminClient({"bootstrap.servers": installation.bootstrap})
    admin.create_topics([NewTopic(elsewhere, 1, 1)])[elsewhere].result(10)
    headers = [(name, elsewhere.encode() if name == "reply_to" else value) for name, value in HOSTILE]
    with installation.running():
        produce(b"\xff not json", headers=headers)
        produce(None, headers=headers)
        produce(a_reading(170), headers=headers)

        (alert,) = read(installation.topic("alerts.test"), 1)
        letters = read(installation.topic("dead-letters"), 2)

    assert json.loads(alert.value())["value"] == 170
    assert {letter.value() for letter in letters} == {b"\xff not json", None}
    for letter in letters:
        assert dict(letter.headers())["binary"] == b"\xff\xfe\x00\x80"
    assert read(elsewhere, 1, seconds=2) == []


def test_a_record_with_neither_key_nor_value_becomes_a_dead_letter(installation, produce, read):
    with installation.running():
        produce(None, key=None)

        (letter,) = read(installation.topic("dead-letters"), 1)

    assert dict(letter.headers())["dlq-stage"] == b"transport"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_is_told_to_stop_ends_well_within_ten_seconds(installation, produce, read, number):
    with installation.running() as process:
        produce(a_reading(170))
        read(installation.topic("alerts.test"), 1)
        began = time.monotonic()
        process.send_signal(number)

        assert process.wait(10) == 0
        assert time.monotonic() - began < 10


def test_a_worker_that_is_killed_leaves_nothing_undone_and_nothing_done_twice(installation, produce, read):
    for number in range(3):
        with installation.running() as process:
            produce(a_reading(170 + number, patient_id=f"P-{number}"), key=f"P-{number}".encode())
            time.sleep(number * 0.05)
            process.kill()
            process.wait(10)
    with installation.running():
        alerts = read(installation.topic("alerts.test"), 4, seconds=12)

    assert sorted(json.loads(alert.value())["value"] for alert in alerts) == [170, 171, 172]


def test_work_goes_on_where_the_database_says_whatever_the_groups_offsets_say(installation, produce, read):
    with installation.running() as process:
        produce(a_reading(170))
        read(installation.topic("alerts.test"), 1)
        process.terminate()
        process.wait(10)
    produce(a_reading(60))
    _move_group_to_the_end(installation, "readings")
    with installation.running():
        eventually(lambda: _count(installation, "readings") == 2)


def test_records_that_are_gone_before_they_were_due_are_counted_and_work_goes_on(installation, produce):
    from confluent_kafka import TopicPartition  # noqa: PLC0415

    with installation.running() as process:
        produce(a_reading(60))
        eventually(lambda: _count(installation, "readings") == 1)
        process.terminate()
        process.wait(10)
    for value in (61, 62, 63):
        produce(a_reading(value))
    admin = AdminClient({"bootstrap.servers": installation.bootstrap})
    places = [TopicPartition(installation.topic("readings"), number, 0) for number in range(2)]
    ends = [_end(installation, place) for place in places]
    (gone,) = [
        TopicPartition(place.topic, place.partition, 3)
        for place, end in zip(places, ends, strict=True)
        if end == 4
    ]
    admin.delete_records([gone])[gone].result(10)

    with installation.running():
        eventually(lambda: _count(installation, "readings") == 2)
        assert "vigil_consumer_offset_gap_records_total 2.0" in installation.get("/metrics")[1]


def _end(installation, place):
    consumer = Consumer({"bootstrap.servers": installation.bootstrap, "group.id": "none"})
    end = consumer.get_watermark_offsets(place, timeout=10)[1]
    consumer.close()
    return end


def test_a_producer_that_uses_transactions_is_read_to_the_end_and_what_it_aborts_never(installation):
    from confluent_kafka import Producer  # noqa: PLC0415

    producer = Producer(
        {"bootstrap.servers": installation.bootstrap, "transactional.id": f"{installation.prefix}upstream"}
    )
    producer.init_transactions(10)
    with installation.running():
        for number in range(6):
            producer.begin_transaction()
            producer.produce(installation.topic("readings"), a_reading(60 + number), b"P-1")
            producer.flush(10)
            if number % 3 == 2:
                producer.abort_transaction(10)
            else:
                producer.commit_transaction(10)

        eventually(lambda: _count(installation, "readings") == 4)
        eventually(lambda: installation.get("/health/ready")[0] == 200)


def _move_group_to_the_end(installation, topic):
    """As a tool would, or a late commit of a former owner: what was not handled yet is passed over."""
    from confluent_kafka import TopicPartition  # noqa: PLC0415

    consumer = Consumer({"bootstrap.servers": installation.bootstrap, "group.id": installation.group})
    partitions = [TopicPartition(installation.topic(topic), number) for number in range(2)]
    for partition in partitions:
        partition.offset = consumer.get_watermark_offsets(partition, timeout=10)[1]
    eventually(lambda: _committed(consumer, partitions))
    consumer.close()


def _committed(consumer, partitions):
    from confluent_kafka import KafkaException  # noqa: PLC0415

    try:
        consumer.commit(offsets=partitions, asynchronous=False)
    except KafkaException:
        return False  # the group has not noticed yet that its member has left
    return True


def _count(installation, table):
    dsn = installation.database_url.replace("postgresql+asyncpg", "postgresql")
    with psycopg.connect(dsn) as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_two_workers_share_the_lanes_and_one_takes_over_from_the_other(installation, produce, read):
    other = Installation(
        installation.bootstrap, installation.database_url, installation.prefix, installation.group,
        installation.folder,
    )  # fmt: skip
    with installation.running() as first, other.running():
        eventually(lambda: _lanes_held(installation) == _lanes_held(other) == 1)
        produce(a_reading(170, patient_id="P-1"), key=b"P-1")
        produce(a_reading(171, patient_id="P-3"), key=b"P-3")
        assert len(read(installation.topic("alerts.test"), 2)) == 2
        first.kill()
        eventually(lambda: _lanes_held(other) == 2, 30)
        produce(a_reading(172, patient_id="P-2"), key=b"P-2")
        produce(a_reading(173, patient_id="P-4"), key=b"P-4")
        alerts = read(installation.topic("alerts.test"), 5, seconds=10)

    assert sorted(json.loads(alert.value())["value"] for alert in alerts) == [170, 171, 172, 173]


def _lanes_held(installation):
    status, body = installation.get("/health/ready")
    return json.loads(body)["lanes_held"] if status else -1


def test_what_is_served_needs_nothing_else(installation):
    with installation.running():
        for path in (
            "/metrics",
            "/health/live",
            "/health/ready",
            "/asyncapi",
            "/asyncapi.json",
            "/asyncapi.yaml",
        ):
            assert installation.get(path)[0] == 200, path
        assert installation.get("/asyncapi/try")[0] == 404
        document = json.loads(installation.get("/asyncapi.json")[1])
        assert document["channels"]["readings"]["bindings"]["kafka"]["partitions"] == 2


NOBODY = "postgresql+asyncpg://u:geheim@127.0.0.1:1/d"


def mistake(finished, code):
    """The one line on standard error of a command that ended with *code*; logs are not mistakes."""
    assert finished.returncode == code, finished.stderr
    assert "Traceback" not in finished.stderr + finished.stdout
    (line,) = [line for line in finished.stderr.splitlines() if line.startswith("vigil: ")]
    return line


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
