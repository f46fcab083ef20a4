"""Dead letters worked with as an operator does: listed, exported, repaired, replayed, the replay killed and run again."""

import json
import signal
import stat
import subprocess
from base64 import b64decode, b64encode
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from confluent_kafka import Producer

from tests.e2e.installation import VIGIL, Installation, eventually

MANY = 1_000
HOSTILE = [
    ("none", None), ("empty", b""), ("bytes", b"\xff\x00"), ("twice", b"1"), ("twice", b"2"), ("reply_to", b"alerts"),
    ("dlq-replay-count", b"\xff"), ("vigil-replay-round", b"9"),
]  # fmt: skip
ADDED = 10  # headers behind the producer's own

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def installation(kafka_bootstrap, database_url, topic_prefix, group, tmp_path):
    installation = Installation(kafka_bootstrap, database_url, topic_prefix, group, tmp_path)
    installation.more["VIGIL_STREAM_BUDGET"] = "0"  # a stream that is bad for long is what this is about
    assert installation.vigil("topics", "create").returncode == 0
    return installation


@pytest.fixture
def ask(database_url):
    with closing(
        psycopg.connect(database_url.replace("postgresql+asyncpg://", "postgresql://"), autocommit=True)
    ) as connection:
        yield lambda query: connection.execute(query).fetchall()


def without_unit(number):
    observed_at = datetime.now(UTC) - timedelta(minutes=30, seconds=number)
    return json.dumps({
        "schema_version": 1, "message_id": f"m-{number}", "patient_id": f"P-{number % 40}", "device_id": "mon-1",
        "observed_at": observed_at.isoformat(), "readings": [{"vital_sign": "heart_rate", "value": 60 + number % 40}],
    }).encode()  # fmt: skip


def hopeless(number):
    return b"\xff%d \x00 {" % number


def produce(installation):
    """As many as can be repaired as are beyond repair; some without a key, some with one that is no text."""
    producer = Producer({"bootstrap.servers": installation.bootstrap})
    for number in range(MANY):
        for value in (without_unit(number), hopeless(number)):
            key = (None, b"\xff\x00", b"P-%d" % (number % 40))[number % 3]
            producer.produce(installation.topic("readings"), value, key, headers=HOSTILE)
    producer.flush(20)


def repair(path):
    """What a script of an operator does: give the unit where it is missing; leave all else as it is."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        value = b64decode(line["value"])
        if not value.startswith(b"\xff"):
            message = json.loads(value)
            message["readings"][0]["unit"] = "/min"
            line["value"] = b64encode(json.dumps(message).encode()).decode()
    path.write_text("\n".join(json.dumps(line) for line in lines))


def replay_killed_half_way(installation, ask, path):
    """Start a replay, and kill -9 it when about half of it is noted as sent."""
    process = subprocess.Popen(
        [*VIGIL, "dead-letters", "replay", "--from", str(path), "--rate", "800"],
        env=installation.environment, cwd=installation.folder,
    )  # fmt: skip
    eventually(lambda: sent(ask) >= MANY * 8 // 10 or process.poll() is not None, 30)
    process.kill()
    assert process.wait(10) == -signal.SIGKILL
    return sent(ask)


def sent(ask):
    return ask("SELECT count(*) FROM dead_letter_replays WHERE outcome = 'sent'")[0][0]


def count_of(ask, table):
    return ask(f"SELECT count(*) FROM {table}")[0][0]


def test_the_repaired_are_stored_once_and_the_rest_comes_back_even_when_the_replay_is_killed(
    installation, ask
):
    path = installation.folder / "bad.ndjson"
    with installation.running():
        produce(installation)
        eventually(lambda: count_of(ask, "dead_letters") == 2 * MANY, 30)
        assert installation.vigil("dead-letters", "export", str(path)).returncode == 0
        repair(path)

        before = replay_killed_half_way(installation, ask, path)
        again = installation.vigil("dead-letters", "replay", "--from", str(path), "--rate", "2000")

        assert 0 < before < 2 * MANY
        assert again.returncode == 0, again.stderr
        eventually(lambda: count_of(ask, "dead_letters") == 3 * MANY, 30)
        letters = installation.read(installation.topic("dead-letters"), 3 * MANY)
    records = installation.read(installation.topic("readings"), 4 * MANY + 1, seconds=10)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ask("SELECT count(*), count(DISTINCT message_id) FROM readings") == [(MANY, MANY)]
    assert len(records) == 4 * MANY
    check_those_sent_again(records[-2 * MANY :] if len(records) == 4 * MANY else records)
    check_those_come_back(letters)


def check_those_sent_again(records):
    back = [record for record in records if len(record.headers()) > len(HOSTILE)]
    ids = Counter(dict(record.headers())["vigil-replay-id"] for record in back)
    assert ids.total() == len(ids) == len(back) > 0
    assert all(record.headers()[:-ADDED] == HOSTILE for record in back)


def check_those_come_back(letters):
    told = [dict(letter.headers()) for letter in letters]
    assert Counter(each["dlq-replay-count"] for each in told) == {b"0": 2 * MANY, b"1": MANY}
    back = [letter for letter, each in zip(letters, told, strict=True) if each["dlq-replay-count"] == b"1"]
    assert {letter.value() for letter in back} == {hopeless(number) for number in range(MANY)}
    assert {letter.key() for letter in back} <= {
        None,
        b"\xff\x00",
        *(b"P-%d" % number for number in range(40)),
    }


def test_it_can_be_looked_at_and_a_replay_that_was_not_finished_is_not_forgotten(installation, ask):
    with installation.running():
        installation.produce(b"Mabel {", key=b"P-0042", headers=HOSTILE)
        installation.produce(without_unit(1))
        eventually(lambda: count_of(ask, "dead_letters") == 2)
        listed = [json.loads(line) for line in installation.vigil("dead-letters", "list").stdout.splitlines()]
        (letter_id,) = [told["id"] for told in listed if told["reason"] == "invalid_json"]
        shown = installation.vigil("dead-letters", "show", letter_id).stdout
        in_full = installation.vigil("dead-letters", "show", letter_id, "--payload").stdout
        dry = installation.vigil("dead-letters", "replay", "--all", "--dry-run").stdout

        rounds = [installation.vigil("dead-letters", "replay", "--reason", "invalid_json").returncode]
        for number in (2, 3):
            eventually(lambda number=number: count_of(ask, "dead_letters") == number + 1)
            rounds.append(installation.vigil("dead-letters", "replay", "--reason", "invalid_json").returncode)
        eventually(lambda: count_of(ask, "dead_letters") == 5)
        refused = installation.vigil("dead-letters", "replay", "--reason", "invalid_json")

    assert "Mabel" not in shown
    assert "P-0042" not in shown
    assert "Mabel {" in in_full
    assert "would be sent: 2; nothing was" in dry
    assert rounds == [0, 0, 0]
    assert refused.returncode == 4
    assert "left out, come back 3 times already (--max-rounds): 1" in refused.stdout
    (round_three,) = [row for row in ask("SELECT key, value, headers FROM dead_letters") if is_third(row[2])]
    assert (bytes(round_three[0]), bytes(round_three[1])) == (b"P-0042", b"Mabel {")
    assert len(round_three[2]) == len(HOSTILE) + ADDED


def is_third(headers):
    return headers[-1:] == [["vigil-replay-round", "3"]]


MISTAKES = {
    ("replay",): "say what to replay",
    ("replay", "--from", "none.ndjson"): "none.ndjson: cannot be read",
    ("replay", "--from", "none.ndjson", "--all"): "--from FILE says what to replay",
    ("replay", "--abandon"): "there is no unfinished replay",
    ("list", "--since", "soon"): "--since soon is no date and time",
    ("show", "t/0/1"): "there is no such dead letter",
    ("export", "/nowhere/at/all"): "/nowhere/at/all: cannot be written",
}


def test_a_mistake_is_one_line_and_exit_code_2(installation):
    done = {
        arguments: installation.vigil("dead-letters", *arguments, VIGIL_LOG_LEVEL="ERROR")
        for arguments in MISTAKES
    }

    assert {each.returncode for each in done.values()} == {2}
    for arguments, words in MISTAKES.items():
        (line,) = done[arguments].stderr.splitlines()
        assert line.startswith("vigil: ")
        assert words in line


def test_another_selection_does_not_push_an_unfinished_replay_aside(installation, ask):
    ask(
        "INSERT INTO dead_letter_replays (topic, partition, \"offset\", selection) VALUES ('t', 0, 1, 'stages=decode')"
        " RETURNING 1"
    )

    refused = installation.vigil("dead-letters", "replay", "--all")
    abandoned = installation.vigil("dead-letters", "replay", "--abandon")

    assert refused.returncode == 2
    assert "(stages=decode) has records left: 1;" in refused.stderr
    assert abandoned.stdout == "forgotten, to be chosen anew if need be: 1\n"
    assert count_of(ask, "dead_letter_replays") == 0
