"""A real Kafka and a real PostgreSQL on this machine, for demo, tests and benchmarks."""

from deploy.local.errors import (
    LocalServiceError,
    NotControllableError,
    ServiceFailedError,
    ServiceUnavailableError,
)
from deploy.local.finding import CONTROLLABLE, EVERYWHERE, Place, fetch_ahead, kafka_cluster, local_services
from deploy.local.kafka import KafkaCluster
from deploy.local.services import Database, Kafka, Postgres, Services

__all__ = [
    "CONTROLLABLE",
    "EVERYWHERE",
    "Database",
    "Kafka",
    "KafkaCluster",
    "LocalServiceError",
    "NotControllableError",
    "Place",
    "Postgres",
    "ServiceFailedError",
    "ServiceUnavailableError",
    "Services",
    "fetch_ahead",
    "kafka_cluster",
    "local_services",
]
