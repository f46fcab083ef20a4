"""The hand-written timelines again, all of them at once through a real worker: wire in, wire out."""

import json
from collections import defaultdict
from datetime import datetime

import pytest
from confluent_kafka import Producer

from deploy.local.accounts import Installation, is_at_rest, records
from deploy.local.processes import LOOPBACK, free_port
from deploy.local.vigil import vigil, wait_until, worker
from deploy.local.workspace import Workspace
from tests.scenarios.timelines import BEGIN, differences, timelines

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(300)]

# A command about an alarm has to wait for the alert that names it.
TOLD_AT_ONCE = [each for each in timelines() if not any(message.answers for message in each.messages("p"))]


@pytest.fixture
def installation(kafka_bootstrap, database, topic_prefix, group, monkeypatch):
    """A worker on topics and tables of its own."""
    port = free_port()
    for name, value in {
        "KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap,
        "DATABASE_URL": database.url,
        "TOPIC_PREFIX": topic_prefix,
        "GROUP": group,
        "HTTP_PORT": str(port),
    }.items():
        monkeypatch.setenv(f"VIGIL_{name}", value)
    vigil("topics", "create")
    with Workspace() as workspace, worker(workspace, f"http://{LOOPBACK}:{port}/health/ready"):
        yield Installation(
            bootstrap_servers=kafka_bootstrap, dsn=database.dsn, topic_prefix=topic_prefix, group=group
        )


def send(installation, told):
    """Send messages in order; those of the commands topic are to be in the log before any reading."""
    producer = Producer({"bootstrap.servers": installation.bootstrap_servers, "enable.idempotence": True})
    for topic, name in (("commands", "vitals.commands.v1"), ("readings", "vitals.readings.v1")):
        for message in told:
            if message.topic == topic:
                producer.produce(
                    installation.topic(name),
                    json.dumps(message.value).encode(),
                    key=message.value["patient_id"],
                    headers=[("vigil-received-at", message.received_at.isoformat().encode())],
                )
                producer.poll(0)
        assert producer.flush(30) == 0
        assert wait_until(lambda: is_at_rest(installation), 60)


def said(installation):
    """Every alert in the words of the timelines, by patient, in the order of the log."""
    alerts = defaultdict(list)
    for record in records(installation, "vitals.alerts.v1", "vitals.alerts.test.v1"):
        alert = json.loads(record.value)
        determined = datetime.fromisoformat(alert["determined_at"])
        alerts[alert["patient_id"]].append(
            {
                "at": (determined - BEGIN).total_seconds(),
                "rule": alert["rule"]["id"],
                "topic": record.topic.removeprefix(installation.topic_prefix),
                **{name: alert[name] for name in ("phase", "priority", "kind", "reason", "flags")},
            }
        )
    return alerts


def test_each_timeline_says_exactly_what_it_must(installation):
    # Real data may not carry its received time, so all is told as test data.
    told = [
        each for each in TOLD_AT_ONCE if all("discharge" not in one for one in each.told.get("command", ()))
    ]
    messages = [message for each in told for message in each.messages(each.name, "test")]

    send(installation, sorted(messages, key=lambda message: message.received))

    alerts = said(installation)
    wrong = {each.name: differences(each.expected, alerts[each.name]) for each in told}
    assert {name: what for name, what in wrong.items() if what} == {}
    assert set(alerts) <= {each.name for each in told}
