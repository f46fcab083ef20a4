"""The worker as an operator runs it: a process of its own, a real broker, a real database."""

import json
import signal
import time

import psycopg
import pytest
from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient, NewTopic

from tests.e2e.installation import Installation, a_reading, eventually


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
