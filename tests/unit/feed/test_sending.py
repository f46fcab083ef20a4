"""Where a feed goes: what is wrong with the way is said in one line."""

import pytest

from domain.observations import Mode
from worker.errors import OperatorError, UnreachableError
from worker.feed.records import admission
from worker.feed.sending import feeding, write
from worker.settings import Settings
from worker.topics import TopicNames


def records():
    return [admission(patient_id="p", ward="w", bed="1", mode=Mode.DEMO, issued_ms=0)]


async def test_without_a_broker_it_says_where_none_answers():
    settings = Settings(kafka_bootstrap_servers="127.0.0.1:1")

    with pytest.raises(UnreachableError, match=r"no broker answers at 127\.0\.0\.1:1; start it or set"):
        async with feeding(settings):
            pass


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(OperatorError, match=r"none/out\.jsonl: cannot be written: No such file"):
        write(records(), tmp_path / "none" / "out.jsonl", TopicNames(), lambda _: None)


def test_what_is_written_is_counted(tmp_path):
    tally = write(records(), tmp_path / "out.jsonl", TopicNames(), lambda _: None)

    assert tally.commands == 1
    assert len((tmp_path / "out.jsonl").read_bytes().splitlines()) == 1
