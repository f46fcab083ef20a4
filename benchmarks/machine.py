"""The machine and the settings that figures were measured with."""

import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.latency import PUBLISHER
from benchmarks.programs import ProgramFailedError
from deploy.local import Services
from deploy.local.configuration import KAFKA_HEAP, kafka_settings, kafka_version
from deploy.local.external import External

LIBRARIES = ("faststream", "aiokafka", "sqlalchemy", "asyncpg", "pydantic", "orjson", "confluent-kafka")
_PROMISES = ("fsync", "synchronous_commit", "full_page_writes")
_TOLD = (*_PROMISES, "server_version", "shared_buffers", "max_wal_size", "wal_sync_method", "max_connections")


def assert_durable(dsn: str) -> None:
    """Raise ProgramFailedError unless the database keeps what it commits through a power cut."""
    settings = postgres_settings(dsn)
    if off := [name for name in _PROMISES if settings[name] != "on"]:
        raise ProgramFailedError(f"PostgreSQL must have {', '.join(off)} on, or the figures mean nothing")


def postgres_settings(dsn: str) -> dict[str, str]:
    """Ask the server itself what it runs with."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(%s)", [list(_TOLD)]
        ).fetchall()
    return dict(sorted(rows))


def describe(services: Services) -> dict[str, Any]:
    """Describe what a reader needs to judge the figures or to repeat them."""
    return {
        "cores": len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "cpu": _cpu_model(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "load_average_before": round(os.getloadavg()[0], 2),
        "kafka": _kafka(services),
        "postgres": postgres_settings(services.postgres.dsn),
        "libraries": {name: version(name) for name in LIBRARIES},
        "latency_publisher": PUBLISHER,
    }


def _kafka(services: Services) -> dict[str, Any]:
    if isinstance(services.kafka, External):
        return {"version": "not known: its address was given"}
    return {"version": kafka_version(), "brokers": 1, "heap": KAFKA_HEAP, **kafka_settings(1)}


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )
