"""A partition on which nothing can be used any more: paused where it can be seen, and resumed by itself."""

import json
import time

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from tests.e2e.installation import Installation, a_reading, eventually

BUDGET = 20


@pytest.fixture
def installation(kafka_bootstrap, database_url, topic_prefix, group, tmp_path):
    more = {
        "VIGIL_STREAM_BUDGET": str(BUDGET),
        "VIGIL_STREAM_PAUSE": "0.5",
        "VIGIL_HEARTBEAT_INTERVAL": "0.5",
    }
    installation = Installation(kafka_bootstrap, database_url, topic_prefix, group, tmp_path, more=more)
    assert installation.vigil("topics", "create").returncode == 0
    return installation


def send(installation, values, partition):
    producer = Producer({"bootstrap.servers": installation.bootstrap})
    for value in values:
        producer.produce(installation.topic("readings"), value, b"P", partition)
    producer.flush(10)


def report(installation):
    return json.loads(installation.get("/health/ready")[1] or "{}")


def is_paused(installation):
    return report(installation).get("unusable_partitions") == [f"{installation.topic('readings')}/0"]


def newest_beat(installation, lane):
    """The last sign of life of *lane*."""
    consumer = Consumer({"bootstrap.servers": installation.bootstrap, "group.id": "beats"})
    place = TopicPartition(installation.topic("heartbeat"), lane)
    _, end = consumer.get_watermark_offsets(place, timeout=10)
    consumer.assign([TopicPartition(place.topic, lane, max(0, end - 4))])
    beats = []
    while not beats or beats[-1].offset() < end - 2:  # the last offset is the mark of the transaction
        record = consumer.poll(1.0)
        beats.extend([record] if record is not None else [])
    consumer.close()
    return json.loads(beats[-1].value())


def said(installation, count, seconds=20):
    return [
        json.loads(alert.value()) for alert in installation.read(installation.topic("alerts"), count, seconds)
    ]


def test_a_stream_that_turns_wholly_bad_pauses_and_goes_on_by_itself(installation):
    bad = [b"{"] * BUDGET
    with installation.running():
        send(installation, [a_reading(80, mode="real")], 0)
        send(installation, bad, 0)
        eventually(lambda: is_paused(installation))
        status, text = installation.get("/health/ready")
        metrics = installation.get("/metrics")[1]
        send(installation, [*bad, a_reading(81, mode="real")[:-5], *bad], 0)
        send(installation, [a_reading(170, mode="real", patient_id="P-2")], 1)  # the others go on
        told = said(installation, 2)
        time.sleep(2)  # several looks, and several heartbeats
        beat = newest_beat(installation, 0)
        letters_meanwhile = len(installation.read(installation.topic("dead-letters"), BUDGET + 1, seconds=4))

        send(installation, [a_reading(175, mode="real")], 0)
        eventually(lambda: not report(installation)["unusable_partitions"], 30)
        alerts = said(installation, 4)
        letters = installation.read(installation.topic("dead-letters"), 3 * BUDGET + 2, seconds=6)

    assert (status, f"{installation.topic('readings')}/0 is paused: nothing on it can be used" in text) == (
        503,
        True,
    )
    assert 'vigil_consumer_paused{reason="unusable"} 1.0' in metrics
    assert [(alert["reason"], alert["priority"]) for alert in told if alert["patient_id"] is None] == [
        ("input_paused", "high")
    ]
    assert [alert["value"] for alert in told if alert["patient_id"]] == [170]
    assert (beat["degraded"], letters_meanwhile) == (True, BUDGET)
    assert [alert["reason"] for alert in alerts if alert["patient_id"] is None] == [
        "input_paused",
        "input_resumed",
    ]
    assert sorted(alert["value"] for alert in alerts if alert["patient_id"]) == [170, 175]
    places = [(dict(letter.headers())["dlq-original-offset"]) for letter in letters]
    assert (len(places), len(set(places))) == (3 * BUDGET + 1, 3 * BUDGET + 1)


def test_a_pause_outlasts_a_restart_and_ends_once(installation):
    with installation.running():
        send(installation, [b"{"] * BUDGET, 0)
        eventually(lambda: is_paused(installation))
    with installation.running(is_ready=False):
        eventually(lambda: is_paused(installation), 30)
        send(installation, [b"{", a_reading(170, mode="real")], 0)
        eventually(lambda: report(installation).get("ready") is True, 30)
        alerts = said(installation, 3)

    assert sorted(alert["reason"] for alert in alerts) == ["input_paused", "input_resumed", "limit_violated"]


def test_a_budget_of_nothing_never_pauses(installation):
    installation.more["VIGIL_STREAM_BUDGET"] = "0"
    with installation.running():
        send(installation, [b"{"] * (3 * BUDGET), 0)
        letters = installation.read(installation.topic("dead-letters"), 3 * BUDGET)
        assert report(installation)["unusable_partitions"] == []

    assert len(letters) == 3 * BUDGET
