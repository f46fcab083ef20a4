"""A lane's publisher on a real broker and a real database: each record once, or the lane stops."""

import asyncio
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import MessageSizeTooLargeError, ProducerFenced
from confluent_kafka import ConsumerGroupTopicPartitions
from confluent_kafka import TopicPartition as KafkaPartition
from confluent_kafka.admin import AdminClient

from persistence.outbox import OutgoingRecord
from persistence.unit_of_work import unit_of_work
from worker.cursors import cursor_group
from worker.errors import LaneChangedError, LaneStoppedError
from worker.lanes import LaneKeeper
from worker.publisher import WATCH_SECONDS


def texts(records):
    return [record.value.decode() for record in records]


async def test_what_is_queued_goes_out_in_order_numbered_and_on_the_lanes_partition(
    desk, names, append, read
):
    await append("a", "b", lane=1)
    publisher = desk.publisher(1)
    await publisher.take()

    assert await publisher.publish_all() == 2

    records = await read(names.alerts, 1)
    assert texts(records) == ["a", "b"]
    assert [dict(record.headers)["ce_sequence"] for record in records] == [b"%020d" % 1, b"%020d" % 2]
    assert [record.key for record in records] == [b"P-1", b"P-1"]
    assert await read(names.alerts, 0) == []


async def test_each_role_has_its_topic(desk, names, append, read):
    for role in ("alerts", "alerts_test", "alarm_state", "dead_letters"):
        await append(role, topic=role)
    publisher = desk.publisher()
    await publisher.take()

    await publisher.publish_all()

    for role in ("alerts", "alerts_test", "alarm_state", "dead_letters"):
        assert texts(await read(names.of(role))) == [role]


async def test_the_first_record_of_a_holder_is_its_heartbeat(desk, names, read):
    await desk.publisher().take()

    (heartbeat,) = await read(names.heartbeat)
    assert heartbeat.key == b"0"
    assert await read(names.alerts) == []


async def test_who_takes_the_lane_next_publishes_nothing_twice(desk, names, append, read):
    await append("a", "b")
    first = desk.publisher()
    await first.take()
    await first.publish_all()
    await append("c")

    second = desk.publisher()
    await second.take()
    await second.publish_all()

    assert texts(await read(names.alerts)) == ["a", "b", "c"]


async def test_many_takings_publish_everything_once(desk, names, append, read):
    said = []
    for number in range(12):
        await append(f"{number}")
        said.append(f"{number}")
        publisher = desk.publisher()
        await publisher.take()
        if number % 3:
            await publisher.publish_all()
        if number % 4 == 1:
            await publisher.discard()

    await publisher.publish_all()

    assert texts(await read(names.alerts)) == said


async def test_a_former_holder_is_fenced_and_says_nothing_more(desk, names, append, read):
    former = desk.publisher()
    await former.take()
    present = desk.publisher()
    await present.take()
    await append("a")

    with pytest.raises(ProducerFenced):
        await former.publish_all()
    await present.publish_all()

    assert texts(await read(names.alerts)) == ["a"]


async def test_a_transaction_cut_off_before_its_commit_is_as_if_it_never_was(desk, names, append, read):
    await append("a", "b")
    first = desk.publisher()
    await first.take()
    await first._producer.begin_transaction()
    await (await first._producer.send(names.alerts, b"a", b"P-1", partition=0))
    await first.discard()

    second = desk.publisher()
    await second.take()
    await second.publish_all()

    assert texts(await read(names.alerts)) == ["a", "b"]


async def test_publishing_that_is_cancelled_anywhere_is_made_good_by_the_next_holder(
    desk, names, append, read
):
    await append(*[f"{number}" for number in range(20)])
    for milliseconds in range(0, 20, 2):
        publisher = desk.publisher()
        await publisher.take()
        await append(f"late-{milliseconds}")
        try:
            async with asyncio.timeout(milliseconds / 1000):
                await publisher.publish_all()
        except TimeoutError:
            pass
        await publisher.discard()
    last = desk.publisher()
    await last.take()

    await last.publish_all()

    expected = [f"{number}" for number in range(20)] + [f"late-{ms}" for ms in range(0, 20, 2)]
    assert texts(await read(names.alerts)) == expected


async def test_more_than_one_transaction_holds_goes_out_in_several(desk, names, append, read, monkeypatch):
    monkeypatch.setattr("worker.publisher.MOST_RECORDS", 3)
    await append(*"abcdefgh")
    publisher = desk.publisher()
    await publisher.take()

    assert await publisher.publish_all() == 8

    assert "".join(texts(await read(names.alerts))) == "abcdefgh"


async def test_a_database_that_was_restored_stops_the_lane(desk, append, bystander):
    await append("a", "b")
    publisher = desk.publisher()
    await publisher.take()
    await publisher.publish_all()
    await bystander.execute("UPDATE outbox SET nonce = $1 WHERE seq = 2", uuid4())

    with pytest.raises(LaneStoppedError, match="run `vigil lanes repair 0`"):
        await publisher.publish_all()
    with pytest.raises(LaneStoppedError):
        await desk.publisher().take()


async def test_a_database_that_lost_its_last_rows_stops_the_lane(desk, append, bystander):
    await append("a", "b")
    publisher = desk.publisher()
    await publisher.take()
    await publisher.publish_all()
    await bystander.execute("DELETE FROM outbox WHERE seq = 2")
    await bystander.execute("UPDATE lanes SET last_seq = 1 WHERE lane = 0")

    with pytest.raises(LaneStoppedError, match="restored"):
        await desk.publisher().take()


async def test_a_cursor_that_is_gone_while_records_are_out_stops_the_lane(desk, append, names, group):
    await append("a")
    publisher = desk.publisher()
    await publisher.take()
    await publisher.publish_all()
    stranger = desk.publisher()
    object.__setattr__(stranger, "_shared", _of_another_group(desk.shared))

    with pytest.raises(LaneStoppedError, match="has no cursor"):
        await stranger.take()


@pytest.mark.parametrize(
    ("number", "further"), [(0, []), (1, []), (2, []), (50, []), (0, ["c"]), (2, ["c"]), (50, ["c"])]
)
async def test_a_cursor_that_a_tool_resets_under_a_running_publisher_stops_the_lane(
    desk, append, read, number, further
):
    await append("a", "b")
    publisher = desk.publisher()
    await publisher.take()
    await publisher.publish_all()
    await asyncio.to_thread(_reset_cursor, desk, number)
    await append(*further)
    await asyncio.sleep(0 if further else WATCH_SECONDS)

    with pytest.raises(LaneStoppedError, match=r"reset.*run `vigil lanes repair 0`"):
        await publisher.publish_all()

    assert texts(await read(desk.shared.names.alerts)) == ["a", "b"]
    with pytest.raises(LaneStoppedError):
        await desk.publisher().look()


async def test_a_cursor_set_to_the_beginning_before_anything_is_out_does_not_matter(
    desk, append, names, read
):
    publisher = desk.publisher()
    await publisher.take()
    await asyncio.to_thread(_reset_cursor, desk, 0)
    await append("a")

    await publisher.publish_all()

    assert texts(await read(names.alerts)) == ["a"]


async def test_many_passes_one_right_after_the_other_take_their_own_cursor_for_nobody_elses(
    desk, append, names, read
):
    publisher = desk.publisher()
    await publisher.take()
    for number in range(60):
        await append(f"{number}")
        await publisher.publish_all()

    assert len(await read(names.alerts)) == 60


async def test_a_coordinator_that_does_not_answer_stops_no_lane(desk, append, names, read, monkeypatch):
    publisher = desk.publisher()
    await publisher.take()
    await append("a")
    monkeypatch.setattr("worker.cursor_watch._ANSWER_SECONDS", 0.0)

    await publisher.publish_all()

    assert texts(await read(names.alerts)) == ["a"]


def _reset_cursor(desk, number):
    """What `kafka-consumer-groups --reset-offsets` writes: an offset, and nothing beside it."""
    place = KafkaPartition(desk.shared.names.alerts, 0, number)
    admin = AdminClient({"bootstrap.servers": desk.bootstrap})
    asked = [ConsumerGroupTopicPartitions(cursor_group(desk.shared.group), [place])]
    for future in admin.alter_consumer_group_offsets(asked).values():
        future.result(10)


async def test_a_missing_number_stops_the_lane(desk, append, bystander, names, read):
    await append("a", "b", "c")
    publisher = desk.publisher()
    await publisher.take()
    await bystander.execute("DELETE FROM outbox WHERE seq = 2")

    with pytest.raises(LaneStoppedError, match="run `vigil lanes repair 0`"):
        await publisher.publish_all()

    assert await read(names.alerts) == []


async def test_a_record_that_the_broker_refuses_is_not_passed_over(
    desk, append, names, read, kafka_bootstrap
):
    await _set_largest(kafka_bootstrap, names.alerts, 400)
    await append("a", "b" * 2000)
    publisher = desk.publisher()
    await publisher.take()

    with pytest.raises(MessageSizeTooLargeError):
        await publisher.publish_all()
    await publisher.discard()

    assert publisher.cursor.seq == 0
    await _set_largest(kafka_bootstrap, names.alerts, 100_000)
    following = desk.publisher()
    await following.take()
    await following.publish_all()
    assert texts(await read(names.alerts)) == ["a", "b" * 2000]


async def _set_largest(kafka_bootstrap, topic, size):
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    resource = ConfigResource(ConfigResourceType.TOPIC, topic, configs={"max.message.bytes": str(size)})
    await admin.alter_configs([resource])
    await admin.close()
    await asyncio.sleep(0.5)  # the broker takes a moment to act on it


async def test_a_repaired_lane_is_taken_again(desk, append, bystander):
    publisher = desk.publisher()
    await publisher.take()
    await append("a")
    await bystander.execute("UPDATE lanes SET epoch = epoch + 1 WHERE lane = 0")

    with pytest.raises(LaneChangedError):
        await publisher.publish_all()


async def test_a_dead_letter_of_nothing_at_all_can_be_published(desk, engine, names, read):
    nothing = OutgoingRecord(
        topic="dead_letters", key=None, value=None, headers=(("dlq-stage", b"transport"),)
    )
    async with unit_of_work(engine) as work:
        await work.outbox.append({0: [nothing]})
    publisher = desk.publisher()
    await publisher.take()

    await publisher.publish_all()

    (record,) = await read(names.dead_letters)
    assert record.value is None


async def test_hostile_headers_of_a_dead_letter_go_out_as_they_came(desk, engine, names, read):
    headers = (("null", None), ("binary", b"\xff\x00\xfe"), ("reply_to", b"elsewhere"), ("", b""))
    letter = OutgoingRecord(topic="dead_letters", key=b"\xff", value=b"\x00\xff", headers=headers)
    async with unit_of_work(engine) as work:
        await work.outbox.append({0: [letter]})
    publisher = desk.publisher()
    await publisher.take()

    await publisher.publish_all()

    (record,) = await read(names.dead_letters)
    assert record.headers[:4] == headers
    assert (record.key, record.value) == (b"\xff", b"\x00\xff")


def _of_another_group(shared):
    from dataclasses import replace  # noqa: PLC0415

    return replace(shared, group=f"{shared.group}-other")


async def test_a_lane_sends_smaller_dead_letters_where_the_topic_takes_none_that_large(
    desk, names, append, read, kafka_bootstrap
):
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    limit = ConfigResource(ConfigResourceType.TOPIC, names.dead_letters, {"max.message.bytes": "20000"})
    await admin.alter_configs([limit])
    await admin.close()
    problem = (("dlq-problem", b'{"instance": "/readings/0/1", "position": 0}'),)
    async with unit_of_work(desk.shared.engine) as work:
        large = OutgoingRecord(topic="dead_letters", key=b"P-1", value=b"x" * 600_000, headers=problem)
        await work.outbox.append({0: [large]})
    await append("a")
    keeper = LaneKeeper(0, desk.shared)
    keeper.may_take.set()
    async with asyncio.timeout(30):
        while not (letters := await read(names.dead_letters)):  # noqa: ASYNC110  nothing else tells
            await asyncio.sleep(0.1)
    await keeper.drop()

    (letter,) = letters
    assert letter.value is None
    assert dict(letter.headers)["dlq-value-omitted"] == b"600000"
    assert texts(await read(names.alerts)) == ["a"]
