"""A stranger's client, told nothing but what the AsyncAPI document says: it gets its alert, or its dead letter."""

import json
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from tests.e2e.installation import Installation, eventually

pytestmark = [pytest.mark.services]

ATTACKED = "attacker-topic"
# A name alone is a header without a value.
HOSTILE = [
    b"nothing",
    b"binary=\xff\xfe\x80\x01",
    b"correlation_id=\xff\xff",
    b"\xfe\xff=1",
    b"reply_to=" + ATTACKED.encode(),
]


@dataclass(frozen=True)
class Stranger:
    """kcat, and the document."""

    kcat: str
    document: dict

    def produce(self, role, value, key):
        """Send one message with hostile headers; kcat takes its bytes from a file of any content."""
        headers = [argument for header in HOSTILE for argument in ("-H", header)]
        self._run("-P", "-t", self._topic(role), "-k", key, "-D", "\x1e", *headers, given=value)

    def consume(self, role):
        """The committed values of a topic, and the names of their headers."""
        said = self._run(
            "-C", "-t", self._topic(role), "-o", "beginning", "-e", "-X", "isolation.level=read_committed",
            "-f", "%k\x1f%s\x1f%h\x1e",
        )  # fmt: skip
        return [tuple(record.split(b"\x1f")) for record in said.split(b"\x1e")[:-1]]

    def topics(self):
        return {topic["topic"] for topic in json.loads(self._run("-L", "-J"))["topics"]}

    def example(self, role):
        """The document's own example of what may be sent to a topic."""
        (reference,) = self.document["channels"][role]["messages"].values()
        name = reference["$ref"].rpartition("/")[2]
        return self.document["components"]["messages"][name]["examples"][0]["payload"]

    def _topic(self, role):
        return self.document["channels"][role]["address"]

    def _run(self, *arguments, given=b""):
        (server,) = self.document["servers"].values()
        done = subprocess.run(
            [self.kcat, "-q", "-b", server["host"], *arguments],
            input=given,
            capture_output=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout


@pytest.fixture
def stranger(kcat, kafka_bootstrap, *, database_url, topic_prefix, group, tmp_path):
    """A client that has fetched the document from a running worker and knows nothing else."""
    installation = Installation(kafka_bootstrap, database_url, topic_prefix, group, tmp_path)
    assert installation.vigil("topics", "create").returncode == 0
    with installation.running():
        yield Stranger(kcat, json.loads(installation.get("/asyncapi.json")[1]))


def test_an_alarming_reading_gets_its_alert_and_nothing_goes_where_a_header_asked(stranger):
    example = stranger.example("readings") | {"observed_at": datetime.now(UTC).isoformat()}
    example["readings"][0]["value"] = 180

    stranger.produce("readings", json.dumps(example).encode(), example["patient_id"])

    eventually(lambda: stranger.consume("alerts_test"))
    ((key, value, headers),) = stranger.consume("alerts_test")
    alert = json.loads(value)
    assert key.decode() == alert["patient_id"] == example["patient_id"]
    assert (alert["phase"], alert["value"]) == ("start", 180)
    assert b"reply_to" not in headers
    assert stranger.consume("alerts") == []
    assert ATTACKED not in stranger.topics()


def test_what_cannot_be_used_gets_its_dead_letter_with_every_header_and_nothing_more(stranger):
    stranger.produce("readings", b"\xff\x00 not a reading", "P-0042")

    eventually(lambda: stranger.consume("dead_letters"))
    ((key, value, headers),) = stranger.consume("dead_letters")
    assert (key, value) == (b"P-0042", b"\xff\x00 not a reading")
    assert b"reply_to=" + ATTACKED.encode() in headers
    assert b"binary=\xff\xfe\x80\x01" in headers
    assert b"dlq-stage=decode" in headers
    assert ATTACKED not in stranger.topics()
