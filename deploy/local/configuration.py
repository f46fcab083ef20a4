"""Settings of the broker and the database: one home for local processes, containers and compose."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
LOCAL_FOLDER = CHECKOUT / ".local"  # git-ignored; `make clean` removes it

POM = HERE / "pom.xml"
POSTGRES_MAJOR = "17"
POSTGRES_IMAGE = f"postgres:{POSTGRES_MAJOR}"


def kafka_version() -> str:
    """Return the broker's version, which only the pom.xml states."""
    found = re.search(r"kafka_2\.13</artifactId>\s*<version>([\d.]+)<", POM.read_text())
    if found is None:
        raise ValueError(f"{POM.name} names no version of kafka_2.13")
    return found[1]


KAFKA_IMAGE = f"apache/kafka:{kafka_version()}"

# What every broker of ours is told, however many there are.
KAFKA_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        # `vigil topics create` makes topics; a typing error must not make one.
        "auto.create.topics.enable": "false",
        # A reading accepted is a reading kept: no replica that lags becomes leader.
        "unclean.leader.election.enable": "false",
        # Tests and demos should not wait three seconds for members that never come.
        "group.initial.rebalance.delay.ms": "0",
        # 50 by default: as many folders to make, with their fsyncs, before the first commit.
        "offsets.topic.num.partitions": "12",
        "transaction.state.log.num.partitions": "12",
    }
)

# One broker: the defaults ask for three, and no transaction would ever start.
SINGLE_BROKER_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "default.replication.factor": "1",
        "min.insync.replicas": "1",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        # A killed broker may register again only when its session is over: 9 s by default.
        "broker.heartbeat.interval.ms": "500",
        "broker.session.timeout.ms": "3000",
    }
)

# Three brokers: what production asks for, with a dead broker noticed a little sooner.
CLUSTER_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "default.replication.factor": "3",
        "min.insync.replicas": "2",
        "offsets.topic.replication.factor": "3",
        "transaction.state.log.replication.factor": "3",
        "transaction.state.log.min.isr": "2",
        "share.coordinator.state.topic.replication.factor": "3",
        "share.coordinator.state.topic.min.isr": "2",
        "broker.heartbeat.interval.ms": "1000",
        "broker.session.timeout.ms": "6000",
    }
)

KAFKA_HEAP = "-Xmx512m"

# The first three are promises to patients; the rest suits a small machine.
POSTGRES_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "max_connections": "200",
        "shared_buffers": "256MB",
        "max_wal_size": "2GB",
        "timezone": "UTC",
    }
)


def kafka_settings(brokers: int) -> Mapping[str, str]:
    """Return the settings that each of *brokers* brokers shares with the others."""
    return {**KAFKA_SETTINGS, **(SINGLE_BROKER_SETTINGS if brokers == 1 else CLUSTER_SETTINGS)}
