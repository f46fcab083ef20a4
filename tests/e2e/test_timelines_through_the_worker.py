"""The hand-written timelines again, all of them at once through a real worker: wire in, wire out."""

import json
from collections import defaultdict
from datetime import datetime

import pytest
from confluent_kafka import Producer

from deploy.local.accounts import is_at_rest, records
from deploy.local.vigil import wait_until
from tests.scenarios.timelines import BEGIN, differences, timelines

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(300)]

# A command about an alarm has to wait for the alert that names it.
TOLD_AT_ONCE = [each for each in timelines() if not any(message.answers for message in each.messages("p"))]


def send(working_vigil, told):
    """Send messages in order; those of the commands topic are to be in the log before any reading."""
    producer = Producer({"bootstrap.servers": working_vigil.bootstrap_servers, "enable.idempotence": True})
    for topic, name in (("commands", "vitals.commands.v1"), ("readings", "vitals.readings.v1")):
        for message in told:
            if message.topic == topic:
                producer.produce(
                    working_vigil.topic(name),
                    json.dumps(message.value).encode(),
                    key=message.value["patient_id"],
                    headers=[("vigil-received-at", message.received_at.isoformat().encode())],
                )
                producer.poll(0)
        assert producer.flush(30) == 0
        assert wait_until(lambda: is_at_rest(working_vigil), 60)


def said(working_vigil):
    """Every alert in the words of the timelines, by patient, in the order of the log."""
    alerts = defaultdict(list)
    for record in records(working_vigil, "vitals.alerts.v1", "vitals.alerts.test.v1"):
        alert = json.loads(record.value)
        determined = datetime.fromisoformat(alert["determined_at"])
        alerts[alert["patient_id"]].append(
            {
                "at": (determined - BEGIN).total_seconds(),
                "rule": alert["rule"]["id"],
                "topic": record.topic.removeprefix(working_vigil.topic_prefix),
                **{name: alert[name] for name in ("phase", "priority", "kind", "reason", "flags")},
            }
        )
    return alerts


def test_each_timeline_says_exactly_what_it_must(working_vigil):
    # Real data may not carry its received time, so all is told as test data.
    told = [
        each for each in TOLD_AT_ONCE if all("discharge" not in one for one in each.told.get("command", ()))
    ]
    messages = [message for each in told for message in each.messages(each.name, "test")]

    send(working_vigil, sorted(messages, key=lambda message: message.received))

    alerts = said(working_vigil)
    wrong = {each.name: differences(each.expected, alerts[each.name]) for each in told}
    assert {name: what for name, what in wrong.items() if what} == {}
    assert set(alerts) <= {each.name for each in told}
