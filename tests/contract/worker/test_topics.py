"""Topics on a real broker."""

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from tests.contract.worker.records import LANES
from worker.topics import Finding, TopicNames, create_topics, describe_topics, lane_count


@pytest.fixture
async def admin(kafka_bootstrap):
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    yield admin
    await admin.close()


async def test_topics_are_made_once_as_they_must_be(admin, topic_prefix):
    names = TopicNames(topic_prefix)

    first = await create_topics(admin, names, partitions=3, replication_factor=1)
    second = await create_topics(admin, names, partitions=3, replication_factor=1)

    assert {report.finding for report in first} == {Finding.MADE}
    assert {report.finding for report in second} == {Finding.THERE}
    assert lane_count(names, await describe_topics(admin, names)) == 3
    await admin.delete_topics(list(names.all))


async def test_a_topic_that_is_there_and_different_is_told_about_and_left_alone(admin, names):
    reports = await create_topics(admin, names, partitions=LANES + 1, replication_factor=1)

    assert {report.finding for report in reports} == {Finding.DIFFERS}
    assert lane_count(names, await describe_topics(admin, names)) == LANES
