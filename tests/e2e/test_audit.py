"""`vigil audit` beside a running worker: it finds what is planted by hand, and nothing where nothing is."""

import json
import secrets
import threading
import time
from contextlib import closing, contextmanager
from uuid import uuid4

import psycopg
import pytest
from confluent_kafka import Producer

from tests.e2e.installation import Installation, a_reading

pytestmark = pytest.mark.timeout(180)
TABLES = ("readings", "commands", "dead_letters")
PATIENTS = [f"P-{number}" for number in range(6)]


@contextmanager
def said_something(kafka_bootstrap, database_url, folder):
    """A running Vigil of its own that has said something of each of some patients."""
    prefix = f"test-{secrets.token_hex(5)}."
    installation = Installation(kafka_bootstrap, database_url, prefix, f"{prefix}vigil", folder)
    assert installation.vigil("topics", "create").returncode == 0
    with installation.running():
        installation.produce(an_admission(), topic="commands", key=PATIENTS[0].encode())
        installation.produce(b"not JSON", key=PATIENTS[0].encode())
        for value in (170, 80, 175):
            for patient in PATIENTS:
                installation.produce(a_set(value, patient), key=patient.encode())
        assert len(alerts(installation)) == 18
        yield installation


@pytest.fixture(scope="module")
def busy(kafka_bootstrap, postgres, database_template, tmp_path_factory):
    """One for all tests that leave it as it was."""
    with (
        postgres.database(template=database_template) as database,
        said_something(kafka_bootstrap, database.url, tmp_path_factory.mktemp("busy")) as installation,
    ):
        yield installation


@pytest.fixture
def harmed(kafka_bootstrap, database_url, tmp_path):
    """One for a test that leaves it otherwise."""
    with said_something(kafka_bootstrap, database_url, tmp_path) as installation:
        yield installation


@contextmanager
def planted(installation, *statements):
    """What *statements* do to the stored history, undone at the end."""
    dsn = installation.database_url.replace("postgresql+asyncpg", "postgresql")
    with closing(psycopg.connect(dsn, autocommit=True)) as connection:
        for table in TABLES:
            connection.execute(f"CREATE TEMP TABLE kept_{table} AS TABLE {table}")
        for statement in statements:
            connection.execute(statement)
        try:
            yield
        finally:
            for table in TABLES:
                connection.execute(f"DELETE FROM {table}")
                connection.execute(f"INSERT INTO {table} TABLE kept_{table}")


def a_set(value, patient):
    signs = [("heart_rate", value, "/min"), ("spo2", 97, "%"), ("respiratory_rate", 16, "/min")]
    readings = [{"vital_sign": sign, "value": told, "unit": unit} for sign, told, unit in signs]
    return a_reading(value, mode="real", patient_id=patient, readings=readings)


def an_admission():
    return json.dumps({
        "schema_version": 1, "command": "admit", "command_id": str(uuid4()), "patient_id": PATIENTS[0],
        "issued_at": json.loads(a_reading(1))["observed_at"], "ward": "7B",
    }).encode()  # fmt: skip


def alerts(installation):
    return installation.read(installation.topic("alerts"), 18)


def audit(installation, *arguments):
    """The exit code, and what is wrong: (what, how) → how often."""
    ended = installation.vigil("audit", "--json", *arguments)
    assert ended.returncode in (0, 4), ended.stderr
    told = json.loads(ended.stdout)
    return ended.returncode, {(each["what"], each["how"]): each["count"] for each in told["wrong"]}, told


def a_copy(installation, records):
    """The alerts topic as `kcat -J` writes it."""
    file = installation.folder / f"{uuid4().hex}.ndjson"
    file.write_text("".join(f"{json.dumps(as_kcat(record))}\n" for record in records))
    return str(file)


def as_kcat(record):
    headers = [text for name, value in record.headers() for text in (name, value.decode())]
    return {
        "topic": record.topic(), "partition": record.partition(), "offset": record.offset(), "headers": headers,
        "key": record.key().decode(), "payload": record.value().decode(),
    }  # fmt: skip


def test_where_all_is_well_it_says_so_in_plain_words(busy):
    ended = busy.vigil("audit", "--alerts", a_copy(busy, alerts(busy)))

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "nothing lost, nothing doubled" in ended.stdout
    assert "compared: 54 readings, 1 commands, 1 dead letters" in ended.stdout
    assert "18 alerts" in ended.stdout
    assert not [patient for patient in PATIENTS if patient in ended.stdout]


def test_a_reading_that_was_deleted_is_found(busy):
    one = "SELECT reading_id FROM readings WHERE vital_sign = 'spo2' LIMIT 1"
    with planted(busy, f"DELETE FROM readings WHERE reading_id = ({one})"):
        code, wrong, told = audit(busy)

    assert (code, wrong) == (4, {("readings", "lost"): 1})
    assert "readings.v1, partition" in told["findings"][0]["where"]


@pytest.mark.parametrize("which", ["the first", "one in the middle", "the last"])
def test_a_set_that_was_deleted_leaves_a_hole_in_its_chart_too(busy, which):
    seq = ("the first", "one in the middle", "the last").index(which) + 1
    chart = "SELECT chart_id FROM charts WHERE chart_seq = 3 ORDER BY chart_id LIMIT 1"
    with planted(busy, f"DELETE FROM readings WHERE chart_id = ({chart}) AND chart_seq = {seq}"):
        code, wrong, _ = audit(busy)

    assert (code, wrong) == (4, {("readings", "lost"): 3, ("numbers of charts", "lost"): 1})


def test_what_was_altered_or_added_or_deleted_elsewhere_is_found(busy):
    with planted(
        busy,
        "UPDATE readings SET value = 99 WHERE vital_sign = 'respiratory_rate' AND value = 16 AND message_id IN "
        "(SELECT message_id FROM readings LIMIT 1)",
        "INSERT INTO readings SELECT chart_id, observed_at, gen_random_uuid(), 'spo2', 12, validity, site, device,"
        " device_id, acquisition, message_id, received_at, recorded_at, chart_seq, flags, correlation_id"
        " FROM readings WHERE vital_sign = 'heart_rate' LIMIT 1",
        "DELETE FROM commands",
        "DELETE FROM dead_letters",
    ):
        code, wrong, _ = audit(busy)

    assert code == 4
    assert wrong == {
        ("readings", "altered"): 1,
        ("readings", "there, though nothing stored led to it"): 1,
        ("commands", "lost"): 1,
        ("dead letters", "lost"): 1,
        ("numbers of charts", "lost"): 1,
    }


@pytest.mark.parametrize("number", [0, 17])
def test_an_alert_removed_from_a_copy_is_found(busy, number):
    records = alerts(busy)
    removed = records.pop(number)
    time.sleep(2)  # what was published at the moment of copying may not be in the copy

    code, wrong, told = audit(busy, "--alerts", a_copy(busy, records))

    assert (code, wrong) == (4, {("alerts in the copy", "lost"): 1})
    assert told["findings"][0]["where"].endswith(dict(removed.headers())["ce_id"].decode())


def test_an_alert_doubled_or_altered_in_a_copy_is_found(busy):
    records = alerts(busy)
    lines = [as_kcat(record) for record in [*records, records[4]]]
    lines[8]["payload"] = lines[8]["payload"].replace("HIGH", "high").replace("170", "171", 1) + " "
    file = busy.folder / "copy.ndjson"
    file.write_text("\n".join(json.dumps(line) for line in lines))

    code, wrong, _ = audit(busy, "--alerts", str(file))

    assert (code, wrong) == (4, {("alerts in the copy", "doubled"): 1, ("alerts in the copy", "altered"): 1})


def test_nothing_under_way_is_taken_for_lost_and_what_is_doubled_on_the_topic_itself_is_found(harmed):
    with readings_flowing(harmed):
        outcomes = [audit(harmed)[:2] for _ in range(3)]

    assert outcomes == [(0, {})] * 3

    again = alerts(harmed)[5]
    producer = Producer({"bootstrap.servers": harmed.bootstrap})
    forged = [(name, str(uuid4()).encode() if name == "ce_id" else value) for name, value in again.headers()]
    for headers in (again.headers(), forged):
        producer.produce(
            again.topic(), again.value(), again.key(), partition=again.partition(), headers=headers
        )
    producer.flush(10)
    code, wrong, _ = audit(harmed)

    assert code == 4
    assert wrong == {
        ("alerts", "doubled"): 1,
        ("alerts", "out of order"): 1,
        ("alerts", "there, though nothing stored led to it"): 1,
    }


@contextmanager
def readings_flowing(installation):
    is_over = threading.Event()

    def flow():
        producer = Producer({"bootstrap.servers": installation.bootstrap, "linger.ms": 5})
        number = 0
        while not is_over.is_set():
            for patient in PATIENTS:
                said = a_set((170, 80)[number % 2], patient)
                producer.produce(installation.topic("readings"), said, patient.encode())
            number += 1
            producer.poll(0)
            is_over.wait(0.02)
        producer.flush(10)

    flowing = threading.Thread(target=flow)
    flowing.start()
    try:
        yield
    finally:
        is_over.set()
        flowing.join()


def test_a_mistake_is_one_line(busy):
    mistaken = [
        busy.vigil("audit", "--since", "2030-01-01T00:00:00"),
        busy.vigil("audit", "--alerts", "not-there.ndjson"),
    ]
    broken = busy.folder / "broken.ndjson"
    broken.write_text("[1, 2]\n")
    mistaken.append(busy.vigil("audit", "--alerts", str(broken)))

    assert [each.returncode for each in mistaken] == [2, 2, 2]
    for each in mistaken:
        assert each.stderr.splitlines()[-1].startswith("vigil: ")
