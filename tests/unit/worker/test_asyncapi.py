import orjson
import pytest

from worker.asyncapi import document
from worker.messages import decode_reading_record
from worker.settings import Settings
from worker.topics import TopicNames


@pytest.fixture(scope="module")
def described():
    return document(Settings(_env_file=None, topic_prefix="t."), lanes=4, version="1.2.3")


def test_every_topic_is_described(described):
    addresses = {channel["address"] for channel in described["channels"].values()}

    assert addresses == set(TopicNames("t.").all)


def test_readings_and_commands_are_received_and_all_else_is_sent(described):
    received = {
        name for name, operation in described["operations"].items() if operation["action"] == "receive"
    }

    assert received == {"readings", "commands"}


def test_each_message_tells_its_key_its_headers_and_its_payload(described):
    for name, message in described["components"]["messages"].items():
        assert message["bindings"]["kafka"]["key"]["description"], name
        assert message["headers"]["properties"], name
        assert message["summary"], name
        assert "payload" in message, name


def test_each_channel_tells_how_many_partitions_it_has(described):
    counts = {channel["bindings"]["kafka"]["partitions"] for channel in described["channels"].values()}

    assert counts == {4}


def test_every_reference_leads_somewhere(described):
    def references(node):
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            for inner in node.values():
                yield from references(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from references(inner)

    for reference in references(described):
        assert reference.startswith("#/"), reference
        node = described
        for part in reference[2:].split("/"):
            node = node[part]


def test_the_example_of_a_reading_is_one_that_is_taken_in(described):
    (message,) = (
        m for name, m in described["components"]["messages"].items() if name.startswith("readings:")
    )
    (example, *_) = message["examples"]

    class Record:
        topic, partition, offset, timestamp, key, headers = "t", 0, 0, 1_795_430_400_000, None, ()
        value = orjson.dumps(example["payload"])

    decoded = decode_reading_record(Record())

    assert decoded.refusals == ()
    assert decoded.observation is not None


def test_the_document_is_the_same_each_time(described):
    again = document(Settings(_env_file=None, topic_prefix="t."), lanes=4, version="1.2.3")

    assert orjson.dumps(again) == orjson.dumps(described)
