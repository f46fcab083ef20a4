"""What we reach into aiokafka and FastStream for is there, in the versions that are pinned."""

import asyncio
from types import SimpleNamespace

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from worker.internals import (
    dead_part_of,
    discard,
    oldest_fetch_version,
    position_of,
    seconds_since_poll,
)
from worker.watchdog import signs_of


@pytest.fixture
async def consumer(kafka_bootstrap, names, group):
    consumer = AIOKafkaConsumer(
        *names.inputs, bootstrap_servers=kafka_bootstrap, group_id=group, auto_offset_reset="earliest"
    )
    await consumer.start()
    yield consumer
    await consumer.stop()


async def test_a_consumer_that_lives_has_no_dead_part(consumer):
    assert dead_part_of(consumer) is None


async def test_a_consumer_whose_task_ended_has_a_dead_part(consumer):
    consumer._fetcher._fetch_task.cancel()
    await asyncio.wait([consumer._fetcher._fetch_task])

    assert dead_part_of(consumer) == "fetching"


async def test_a_consumer_that_has_left_its_group_for_good_is_dead(consumer):
    consumer._coordinator._coordination_task.cancel()
    await asyncio.wait([consumer._coordinator._coordination_task])

    assert dead_part_of(consumer) == "group coordination"


async def test_it_is_known_how_long_nobody_has_polled(consumer):
    await consumer.getmany(timeout_ms=1)
    await asyncio.sleep(0.05)

    assert 0.04 < seconds_since_poll(consumer) < 5


async def test_a_backlog_that_is_stored_part_by_part_is_a_sign_of_life_too(consumer):
    await consumer.getmany(timeout_ms=1)
    await asyncio.sleep(0.05)

    assert signs_of(SimpleNamespace(tasks=[]), consumer, since_stored=0.01).seconds_since_poll == 0.01
    assert signs_of(SimpleNamespace(tasks=[]), consumer, since_stored=900.0).seconds_since_poll < 5


async def test_the_position_is_known_without_waiting(consumer, names):
    partition = TopicPartition(names.readings, 0)
    await consumer.position(partition)

    assert position_of(consumer, partition) == 0

    consumer.seek(partition, 7)
    assert position_of(consumer, partition) == 7


async def test_a_producer_that_is_discarded_sends_nothing_more(kafka_bootstrap, names, group):
    producer = AIOKafkaProducer(bootstrap_servers=kafka_bootstrap, transactional_id=f"{group}.x")
    await producer.start()

    await discard(producer)

    assert producer._sender.sender_task.done()


async def test_a_producer_that_never_started_can_be_discarded(group):
    await discard(AIOKafkaProducer(bootstrap_servers="127.0.0.1:1", transactional_id=f"{group}.x"))


async def test_the_broker_tells_its_age(kafka_bootstrap):
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()

    assert await oldest_fetch_version(admin) >= 4

    await admin.close()
