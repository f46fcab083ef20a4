"""What a worker that has ended in good order may not have left open: read by confluent-kafka and psycopg alone."""

from collections.abc import Iterator
from contextlib import closing

import psycopg
from confluent_kafka import Consumer, IsolationLevel, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from deploy.local.accounts import Installation
from tests.faults.evidence import ROLES, cursors


def unsettled(installation: Installation, lanes: int) -> Iterator[str]:
    """Say in words what is in doubt, now that no worker runs, and what a successor would have to do again."""
    with closing(psycopg.connect(installation.dsn)) as connection:
        given = dict(connection.execute("SELECT lane, last_seq FROM lanes").fetchall())
        rows = connection.execute("SELECT topic, partition, next_offset FROM progress").fetchall()
    stored = {(topic, partition): offset for topic, partition, offset in rows}
    if behind := {lane for lane, seq in cursors(installation, given).items() if seq != given[lane]}:
        yield f"{len(behind)} lanes have something queued that is not out"
    committed = _committed(installation, stored)
    if differing := {place for place, offset in stored.items() if committed[place] != offset}:
        yield f"{len(differing)} input partitions were left without the group's offset at what is stored"
    if pending := _with_open_transaction(installation, lanes):
        yield f"{len(pending)} output partitions have a transaction open"


def _configured(installation: Installation) -> dict[str, str | int]:
    return {"bootstrap.servers": installation.bootstrap_servers, "log_level": 0}


def _committed(installation: Installation, places: dict[tuple[str, int], int]) -> dict[tuple[str, int], int]:
    consumer = Consumer(_configured(installation) | {"group.id": installation.group})
    with closing(consumer):
        asked = [TopicPartition(*place) for place in places]
        return {(each.topic, each.partition): each.offset for each in consumer.committed(asked, timeout=10)}


def _with_open_transaction(installation: Installation, lanes: int) -> list[tuple[str, int]]:
    """Output partitions whose end a `read_committed` reader does not get to see yet."""
    admin = AdminClient(_configured(installation))
    partitions = [
        TopicPartition(installation.topic(name), lane) for name in ROLES.values() for lane in range(lanes)
    ]
    ends = [
        admin.list_offsets(
            {partition: OffsetSpec.latest() for partition in partitions}, isolation_level=isolation
        )
        for isolation in (IsolationLevel.READ_COMMITTED, IsolationLevel.READ_UNCOMMITTED)
    ]
    stable, last = ({(p.topic, p.partition): f.result().offset for p, f in each.items()} for each in ends)
    return [place for place, offset in last.items() if stable[place] != offset]
