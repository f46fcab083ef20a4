"""A cluster of three brokers, two of which must have every record, and one of them killed."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from confluent_kafka import KafkaException

from deploy.local import KafkaCluster, Place, Services, kafka_cluster, local_services
from deploy.local.coordinators import coordinator_of_group, coordinator_of_transactions, is_in_sync
from deploy.local.kafka import LocalKafka
from deploy.local.vigil import wait_until
from tests.faults.acting import IN_KAFKA, kafka_of, start_to_be_struck, strike, works_again
from tests.faults.kinds import Kind
from tests.faults.plan import Plan
from tests.faults.running import LANES, Run

_IN_SYNC_SECONDS = 60.0

Choice = Callable[[Run, KafkaCluster], LocalKafka]


@contextmanager
def three_brokers() -> Iterator[Services]:
    """Lend a cluster, and a database beside it."""
    with kafka_cluster(3) as cluster, local_services(kafka=False, places=[Place.PROCESSES]) as found:
        yield Services(cluster, found.postgres)


def kill_one(run: Run, strikes: int, *, which: Choice) -> None:
    """Kill one broker in the middle of a transaction; the worker goes on with two, and the third comes back."""
    start_to_be_struck(run, IN_KAFKA)
    cluster = kafka_of(run)
    assert isinstance(cluster, KafkaCluster)
    for _ in range(strikes):
        time.sleep(run.random.uniform(1, 3))
        victim = which(run, cluster)
        strike(run, victim.kill)
        works_again(run.worker)
        victim.start()
        assert wait_until(partial(_is_in_sync, cluster), _IN_SYNC_SECONDS), "the replicas do not catch up"
    works_again(run.worker)


def _any(run: Run, cluster: KafkaCluster) -> LocalKafka:
    return run.random.choice(list(cluster.brokers))


def _of_the_group(run: Run, cluster: KafkaCluster) -> LocalKafka:
    return coordinator_of_group(cluster, run.installation.group)


def _of_the_cursors(run: Run, cluster: KafkaCluster) -> LocalKafka:
    return coordinator_of_group(cluster, f"{run.installation.group}.published")


def _of_a_lane(run: Run, cluster: KafkaCluster) -> LocalKafka:
    return coordinator_of_transactions(cluster, f"{run.installation.group}.{run.random.randrange(LANES)}")


def _is_in_sync(cluster: KafkaCluster) -> bool:
    try:
        return is_in_sync(cluster)
    except KafkaException:
        return False


def _plan(fault: str, which: Choice, *, strikes: int) -> Plan:
    return Plan(
        fault=fault,
        kind=Kind.BROKER,
        act=partial(kill_one, which=which),
        strikes=strikes,
        seconds=40 + 25 * strikes,
        services=three_brokers,
    )


MATRIX = [
    _plan("one of three brokers killed", _any, strikes=3),
    _plan("the group's coordinator killed", _of_the_group, strikes=2),
    _plan("the cursors' coordinator killed", _of_the_cursors, strikes=2),
    _plan("a lane's transaction coordinator killed", _of_a_lane, strikes=3),
]
SHORT = [_plan("a lane's transaction coordinator killed", _of_a_lane, strikes=1)]
