"""A topic whose records were deleted before they were read, and one that is another under the old name."""

import json
import re
import signal

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from tests.e2e.installation import a_reading, eventually


def delete_all(installation):
    """Delete every record of the readings topic, as retention would."""
    admin = AdminClient({"bootstrap.servers": installation.bootstrap})
    partitions = [TopicPartition(installation.topic("readings"), partition, -1) for partition in range(2)]
    for deleted in admin.delete_records(partitions).values():
        deleted.result(10)


def about_wards(records):
    said = (json.loads(record.value()) for record in records)
    return [alert for alert in said if alert["patient_id"] is None]


def counted(installation, series):
    found = re.search(rf"^{re.escape(series)} (\S+)", installation.get("/metrics")[1], re.MULTILINE)
    return float(found[1]) if found else 0.0


def what_was_lost(installation):
    """What the worker counted as lost, once a record has come through that was sent afterwards."""
    installation.produce(a_reading(171, mode="real", patient_id="P-2"), key=b"P-1")
    alerts = installation.read(installation.topic("alerts"), 3)
    (told,) = about_wards(alerts)
    assert (told["reason"], told["phase"], told["kind"]) == ("input_lost", "start", "technical")
    assert {json.loads(alert.value())["value"] for alert in alerts} == {None, 170, 171}
    return counted(installation, "vigil_consumer_offset_gap_records_total")


def send_three_that_are_deleted(installation):
    for value in (80, 81, 82):
        installation.produce(a_reading(value, mode="real", patient_id="P-3"))
    delete_all(installation)


def test_what_was_deleted_while_no_worker_ran_is_counted_and_told_and_work_goes_on(installation):
    with installation.running():
        installation.produce(a_reading(170, mode="real"))
        assert len(installation.read(installation.topic("alerts"), 1)) == 1
    send_three_that_are_deleted(installation)

    with installation.running():
        assert what_was_lost(installation) == 3


def test_what_is_deleted_under_a_running_worker_is_counted_and_told_and_work_goes_on(installation):
    with installation.running() as process:
        installation.produce(a_reading(170, mode="real"))
        assert len(installation.read(installation.topic("alerts"), 1)) == 1
        process.send_signal(signal.SIGSTOP)
        send_three_that_are_deleted(installation)
        process.send_signal(signal.SIGCONT)

        gone = what_was_lost(installation)
        stored = counted(installation, 'vigil_readings_accepted_total{vital="heart_rate"}')

    assert gone >= 1  # the first may have been on its way already
    assert gone + stored == 5


def test_another_topic_under_the_old_name_stops_the_worker_and_is_told(installation):
    with installation.running() as process:
        for value in (80, 81, 82):
            installation.produce(a_reading(value))
        eventually(
            lambda: 'vigil_readings_accepted_total{vital="heart_rate"} 3.0' in installation.get("/metrics")[1]
        )
        process.terminate()
        process.wait(10)
    admin = AdminClient({"bootstrap.servers": installation.bootstrap})
    topic = installation.topic("readings")
    admin.delete_topics([topic])[topic].result(10)
    eventually(lambda: topic not in admin.list_topics(timeout=5).topics)
    eventually(lambda: installation.vigil("topics", "create").returncode == 0)

    with installation.running(is_ready=False) as process:
        assert process.wait(40) == 2

    log = max(installation.folder.glob("worker-*.log"), key=lambda path: path.stat().st_mtime).read_text()
    assert "it is another topic under the old name" in log.splitlines()[-1]
