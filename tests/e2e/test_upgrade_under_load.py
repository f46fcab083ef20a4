"""The schema is upgraded while workers of the version before run under load: they go on, and so do their successors."""

import re
import subprocess
import tarfile
import threading
import time
from contextlib import closing, contextmanager
from io import BytesIO
from pathlib import Path
from shutil import which

import psycopg
import pytest
from confluent_kafka import Producer

import migrations
from tests.e2e.installation import ROOT, Installation, a_reading, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
VERSIONS = sorted(Path(migrations.__file__).parent.glob("versions/[0-9]*.py"))
LAST_TWO = VERSIONS[-2:]
PATIENTS = [f"P-{number}" for number in range(8)]
TOLD = ("lane_lost", "lane_stopped", "batch_refused", "Traceback")


def git(*arguments):
    done = subprocess.run([which("git") or "git", *arguments], cwd=ROOT, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else b""


@pytest.fixture(params=LAST_TWO, ids=lambda path: path.stem)
def version_before(request, tmp_path):
    """The code as it was before this migration was added, out of the project's own history."""
    name = request.param.relative_to(ROOT).as_posix()
    added = git("log", "--diff-filter=A", "--format=%H", "-1", "--", name).decode().strip()
    archive = git("archive", f"{added}^", "domain", "persistence", "worker", "migrations") if added else b""
    if not archive:
        pytest.skip(f"the history of {name} is not in this copy of the project")
    folder = tmp_path / "before"
    with tarfile.open(fileobj=BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
    return folder


@pytest.fixture
def installations(kafka_bootstrap, empty_database, topic_prefix, tmp_path, version_before):
    """The same Vigil twice: as the version before runs it, and as this one does."""
    place = (kafka_bootstrap, empty_database.url, topic_prefix, f"{topic_prefix}vigil", tmp_path)
    before, now = Installation(*place), Installation(*place)
    before.path = version_before
    assert before.vigil("topics", "create").returncode == 0
    upgraded = before.vigil("db", "upgrade")
    assert upgraded.returncode == 0, upgraded.stderr
    return before, now


def revision(installation):
    return fetch(installation, "SELECT version_num FROM alembic_version")[0][0]


def fetch(installation, query):
    dsn = installation.database_url.replace("postgresql+asyncpg", "postgresql")
    with closing(psycopg.connect(dsn)) as connection:
        return connection.execute(query).fetchall()


@contextmanager
def readings_flowing(installation):
    """200 sets a second, of which every other one of a patient calls for an alert or ends it."""
    is_over = threading.Event()

    def flow():
        producer = Producer({"bootstrap.servers": installation.bootstrap, "linger.ms": 5})
        number = 0
        while not is_over.is_set():
            for patient in PATIENTS:
                said = a_reading((170, 80)[number // 10 % 2], mode="real", patient_id=patient)
                producer.produce(installation.topic("readings"), said, patient.encode())
            number += 1
            producer.poll(0)
            is_over.wait(0.04)
        producer.flush(10)

    flowing = threading.Thread(target=flow)
    flowing.start()
    try:
        yield
    finally:
        is_over.set()
        flowing.join()


def goes_on(installation, what="SELECT count(*) FROM readings"):
    """Returns once more has been stored and said than at the beginning."""
    for query in (what, "SELECT sum(last_seq) FROM lanes"):
        before = fetch(installation, query)
        eventually(lambda query=query, before=before: fetch(installation, query) > before, 30)


def test_the_version_before_works_on_under_the_new_schema_and_is_followed_by_this_one(installations):
    before, now = installations
    older = revision(before)
    with readings_flowing(before):
        with before.running() as process:
            goes_on(before)

            upgraded = now.vigil("db", "upgrade")

            assert upgraded.returncode == 0, upgraded.stderr
            assert revision(now) > older
            goes_on(before)
            time.sleep(2)
            assert before.get("/health/ready")[0] == 200
            process.terminate()
            assert process.wait(15) == 0
        with now.running():
            goes_on(now)
    with now.running():
        eventually(lambda: '"not_taken_in":0' in now.vigil("audit", "--json").stdout, 30)
        account = now.vigil("audit")
        assert account.returncode == 0, account.stdout
    said = "".join(log.read_text() for log in now.folder.glob("worker-*.log"))
    assert [word for word in TOLD if re.search(word, said)] == []
