"""Which broker of a cluster coordinates a group or a transactional id, as Kafka itself works it out."""

from confluent_kafka.admin import AdminClient

from deploy.local.kafka import KafkaCluster, LocalKafka

_GROUPS = "__consumer_offsets"
_TRANSACTIONS = "__transaction_state"
_ANSWER_SECONDS = 10.0


def coordinator_of_group(cluster: KafkaCluster, group: str) -> LocalKafka:
    return leader_of(cluster, _GROUPS, group)


def coordinator_of_transactions(cluster: KafkaCluster, transactional_id: str) -> LocalKafka:
    return leader_of(cluster, _TRANSACTIONS, transactional_id)


def leader_of(cluster: KafkaCluster, topic: str, name: str) -> LocalKafka:
    """The broker that leads the partition of *topic* in which what belongs to *name* is kept."""
    partitions = _admin(cluster).list_topics(topic, timeout=_ANSWER_SECONDS).topics[topic].partitions
    leader = partitions[abs(java_hash(name)) % len(partitions)].leader
    return next(broker for broker in cluster.brokers if broker.node == leader)


def is_in_sync(cluster: KafkaCluster) -> bool:
    """Whether every replica of every partition is as far as its leader."""
    topics = _admin(cluster).list_topics(timeout=_ANSWER_SECONDS).topics.values()
    return all(
        len(partition.isrs) == len(partition.replicas)
        for topic in topics
        for partition in topic.partitions.values()
    )


def java_hash(text: str) -> int:
    """`String.hashCode` of Java, which wraps around at 32 bits; Kafka counts the lowest of all as 0."""
    value = 0
    for character in text:
        value = (31 * value + ord(character)) % 2**32
    signed = value - 2**32 if value >= 2**31 else value
    return 0 if signed == -(2**31) else signed


def _admin(cluster: KafkaCluster) -> AdminClient:
    return AdminClient({"bootstrap.servers": cluster.bootstrap_servers, "log_level": 0})
