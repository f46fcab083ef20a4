"""The services under the tests: they keep their promises when stopped, killed, paused, or orphaned."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from deploy.local import (
    NotControllableError,
    Place,
    ServiceUnavailableError,
    local_services,
)
from deploy.local.configuration import POSTGRES_SETTINGS, kafka_settings
from deploy.local.external import KAFKA_VARIABLE, POSTGRES_VARIABLE
from deploy.local.workspace import Workspace

pytestmark = pytest.mark.faults

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 30


def make_topic(kafka, name, **settings):
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    admin.create_topics([NewTopic(name, 1, **settings)])[name].result(PATIENCE_SECONDS)


def produce(kafka, topic, *values, **settings):
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "acks": "all", **settings})
    for value in values:
        producer.produce(topic, value, on_delivery=refuse_errors)
    assert producer.flush(PATIENCE_SECONDS) == 0


def refuse_errors(error, _):
    assert error is None, error


def consume(kafka, topic, count):
    settings = {
        "bootstrap.servers": kafka.bootstrap_servers,
        "group.id": f"{topic}.readers",
        "auto.offset.reset": "earliest",
        "isolation.level": "read_committed",
    }
    with closing(Consumer(settings)) as consumer:
        consumer.subscribe([topic])
        return [record.value() for record in consumer.consume(count, PATIENCE_SECONDS)]


def soon(condition):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_a_transaction_is_read_when_it_is_committed_and_not_when_it_is_aborted(kafka, topic_prefix):
    topic = f"{topic_prefix}alerts"
    make_topic(kafka, topic)
    producer = Producer(
        {"bootstrap.servers": kafka.bootstrap_servers, "transactional.id": f"{topic_prefix}lane"}
    )
    producer.init_transactions(PATIENCE_SECONDS)

    producer.begin_transaction()
    producer.produce(topic, b"aborted")
    producer.flush(PATIENCE_SECONDS)
    producer.abort_transaction(PATIENCE_SECONDS)
    producer.begin_transaction()
    producer.produce(topic, b"committed")
    producer.commit_transaction(PATIENCE_SECONDS)

    assert consume(kafka, topic, 1) == [b"committed"]


def test_the_broker_has_the_settings_that_the_compose_file_gives_it(kafka):
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    (answer,) = admin.describe_configs([ConfigResource(ResourceType.BROKER, "1")]).values()

    in_force = {name: entry.value for name, entry in answer.result(PATIENCE_SECONDS).items()}

    wanted = kafka_settings(brokers=1)
    assert {name: in_force[name] for name in wanted} == wanted


def test_the_database_has_the_settings_that_the_compose_file_gives_it(postgres):
    with psycopg.connect(postgres.dsn) as connection:
        in_force = {name: connection.execute(f"SHOW {name}").fetchone()[0] for name in POSTGRES_SETTINGS}

    assert in_force == POSTGRES_SETTINGS


def test_a_database_made_from_a_template_has_what_the_template_has(postgres):
    with postgres.database() as template:
        with psycopg.connect(template.dsn) as connection:
            connection.execute("CREATE TABLE bed (name text)")
        with postgres.database(template=template.name) as copy, psycopg.connect(copy.dsn) as connection:
            beds = connection.execute("SELECT count(*) FROM bed").fetchone()

    assert beds == (0,)
    assert copy.url.startswith("postgresql+asyncpg://")


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_broker_keeps_its_records_and_its_port_when_it_ends_and_comes_back(own_services, topic_prefix, end):
    kafka, topic = own_services.kafka, f"{topic_prefix}readings"
    make_topic(kafka, topic)
    produce(kafka, topic, b"before")
    address = kafka.bootstrap_servers

    getattr(kafka, end)()
    assert not kafka.is_running
    kafka.start()

    assert kafka.bootstrap_servers == address
    assert consume(kafka, topic, 1) == [b"before"]


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_database_keeps_what_was_committed_and_its_port_when_it_ends_and_comes_back(own_services, end):
    database = own_services.postgres.create_database()
    with psycopg.connect(database.dsn) as connection:
        connection.execute("CREATE TABLE bed AS SELECT 'B1' AS name")

    getattr(own_services.postgres, end)()
    assert not own_services.postgres.is_running
    own_services.postgres.start()

    with psycopg.connect(database.dsn) as connection:
        assert connection.execute("SELECT name FROM bed").fetchone() == ("B1",)


@pytest.mark.parametrize("name", ["kafka", "postgres"])
def test_a_paused_service_lives_without_answering_until_it_is_resumed(own_services, name):
    service = getattr(own_services, name)

    service.pause()
    paused = (service.is_running, service.answers())
    service.resume()

    assert paused == (True, False)
    assert soon(service.answers)


def test_a_session_open_before_a_pause_goes_on_after_it(own_services):
    with psycopg.connect(own_services.postgres.dsn) as connection:
        own_services.postgres.pause()
        own_services.postgres.resume()

        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_three_brokers_take_a_write_of_all_replicas_when_one_of_them_is_killed(three_brokers, topic_prefix):
    topic = f"{topic_prefix}alerts"
    make_topic(three_brokers, topic, replication_factor=3)
    produce(three_brokers, topic, b"by three")

    three_brokers.brokers[0].kill()
    produce(three_brokers, topic, b"by two", **{"delivery.timeout.ms": PATIENCE_SECONDS * 1000})
    written = consume(three_brokers, topic, 2)
    three_brokers.start()

    assert written == [b"by three", b"by two"]
    assert three_brokers.brokers_alive() == 3


OWNER = """
import signal, time
from deploy.local import Place, local_services
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
with local_services(kafka={kafka}, places=[Place.PROCESSES]) as services:
    of_ours = [services.postgres, *([services.kafka] if {kafka} else [])]
    workspace = services.postgres._workspace
    print(workspace.folder, services.postgres.folder, workspace._guardian.pid, flush=True)
    print(*[service.port for service in of_ours], flush=True)
    print(*[service.pid for service in of_ours], flush=True)
    try:
        time.sleep(300)
    except KeyboardInterrupt:
        print(all(service.answers() for service in of_ours), flush=True)
"""


class Owner:
    """A process that has started services, and what should be gone when it is gone."""

    def __init__(self, *, kafka):
        self.process = subprocess.Popen(
            [sys.executable, "-c", OWNER.format(kafka=kafka)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        folder, data, guardian = self.process.stdout.readline().split()
        self.folders = [Path(folder), Path(data)]
        self.guardian = int(guardian)
        self.ports = [int(port) for port in self.process.stdout.readline().split()]
        self.services = [int(pid) for pid in self.process.stdout.readline().split()]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def processes_left(self):
        return [pid for pid in [self.guardian, *self.services] if is_alive(pid)]

    def ports_left(self):
        return [port for port in self.ports if is_taken(port)]

    def folders_left(self):
        return [folder for folder in self.folders if folder.exists()]

    def left_nothing(self):
        return not (self.processes_left() or self.ports_left() or self.folders_left())


def is_alive(pid):
    """Whether *pid* runs; one that has ended and waits to be buried does not."""
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip()[:1] not in {"", "Z"}


def is_taken(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_an_owner_that_is_killed_leaves_no_process_port_or_folder():
    with Owner(kafka=True) as owner:
        assert len(owner.processes_left()) == 3
        assert len(owner.ports_left()) == 2

        owner.process.send_signal(signal.SIGKILL)

        assert soon(owner.left_nothing), (
            owner.processes_left(),
            owner.ports_left(),
            owner.folders_left(),
        )


def test_ctrl_c_reaches_the_owner_and_not_its_services():
    with Owner(kafka=False) as owner:
        os.killpg(owner.process.pid, signal.SIGINT)  # as a terminal does: to all in front of it

        assert owner.process.stdout.readline() == "True\n"
        assert owner.process.wait(PATIENCE_SECONDS) == 0
        assert owner.left_nothing()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_guardian_that_is_killed_takes_its_services_along_and_the_next_run_sweeps_its_folder():
    with Owner(kafka=False) as owner:
        os.kill(owner.guardian, signal.SIGKILL)
        ended = soon(lambda: not owner.processes_left())
        owner.process.kill()
        owner.process.wait()

    with Workspace():
        left = owner.folders[0].exists()

    assert ended
    assert not left


def test_addresses_in_the_environment_are_used_and_their_services_are_not_ours_to_stop(services):
    given = {
        KAFKA_VARIABLE: services.kafka.bootstrap_servers,
        POSTGRES_VARIABLE: services.postgres.url,
    }

    with local_services(environment=given) as found:
        assert found.kafka.bootstrap_servers == services.kafka.bootstrap_servers
        assert found.postgres.dsn == services.postgres.dsn
        with pytest.raises(NotControllableError):
            found.postgres.kill()


def test_where_there_is_no_service_the_error_names_all_three_places_and_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    nothing = {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}

    with (
        pytest.raises(ServiceUnavailableError) as raised,
        local_services(postgres=False, environment=nothing),
    ):
        pass

    for part in (KAFKA_VARIABLE, "Docker", "java", "Install Java 17 or later and Maven"):
        assert part in str(raised.value)


def test_a_place_that_is_not_asked_for_is_not_looked_at(kafka):
    given = {KAFKA_VARIABLE: kafka.bootstrap_servers}

    with (
        pytest.raises(ServiceUnavailableError, match=r"no engine listens"),
        local_services(
            postgres=False,
            places=[Place.DOCKER],
            environment={**given, "DOCKER_HOST": "unix:///nonexistent/docker.sock"},
        ),
    ):
        pass
