"""A device that sends hundreds of sets a second: all of it is stored, and the others' alerts are not late by it."""

import json
import threading
import time
from contextlib import closing
from datetime import datetime

import psycopg
from confluent_kafka import Producer

from tests.e2e.installation import a_reading, eventually

SETS = 3000
OTHERS = 8


def flood(installation, is_over):
    """One device at some 500 sets a second, with one extreme value in the middle."""
    producer = Producer({"bootstrap.servers": installation.bootstrap, "linger.ms": 5})
    for number in range(SETS):
        value = 171 if number == SETS // 2 else 80
        body = a_reading(
            value, mode="real", patient_id="P-flood", device_id="mon-flood", acquisition="continuous"
        )
        producer.produce(installation.topic("readings"), body, b"P-flood", 0)
        producer.poll(0)
        if number % 20 == 19:
            time.sleep(0.03)
    producer.flush(20)
    is_over.set()


def stored(installation):
    dsn = installation.database_url.replace("postgresql+asyncpg://", "postgresql://")
    with closing(psycopg.connect(dsn)) as connection:
        return connection.execute("SELECT count(*) FROM readings WHERE device_id = 'mon-flood'").fetchone()[0]


def seconds_late(record):
    """From the arrival in the log of what led to an alert, to the alert's own arrival in its log."""
    received = datetime.fromisoformat(json.loads(record.value())["received_at"])
    return record.timestamp()[1] / 1000 - received.timestamp()


def test_other_patients_alerts_are_not_late_by_it(installation):
    is_over = threading.Event()
    with installation.running():
        threading.Thread(target=flood, args=(installation, is_over)).start()
        for number in range(OTHERS):
            time.sleep(0.3)
            body = a_reading(170, mode="real", patient_id=f"P-{number}")
            producer = Producer({"bootstrap.servers": installation.bootstrap})
            producer.produce(installation.topic("readings"), body, b"P", number % 2)
            producer.flush(10)
        assert is_over.wait(90)
        alerts = installation.read(installation.topic("alerts"), OTHERS + 2)
        eventually(lambda: stored(installation) >= SETS, 30)
        metrics = installation.get("/metrics")[1]

    said = [(json.loads(alert.value()), seconds_late(alert)) for alert in alerts]
    others = [late for alert, late in said if alert["patient_id"] != "P-flood"]
    own = [(alert["rule"]["id"], alert["priority"]) for alert, _ in said if alert["patient_id"] == "P-flood"]
    excess = next(line for line in metrics.splitlines() if 'verdict="excess"' in line)
    assert len(others) == OTHERS
    assert max(others) < 3.0, sorted(others)
    assert {("flooding/mon-flood", "low"), ("heart-rate-high", "high")} <= set(own)
    assert float(excess.split()[-1]) > SETS / 2
