from types import SimpleNamespace
from uuid import UUID

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import GroupLoadInProgressError, KafkaError, NotCoordinatorForGroupError

from worker.cursors import Cursor, cursor_in

PARTITION = TopicPartition("vitals.alerts.v1", 3)
NONCE = UUID("6f1d2c3b-0000-4000-8000-000000000001")


def answer(*partitions, error_code=0):
    topics = [(PARTITION.topic, list(partitions))] if partitions else []
    return SimpleNamespace(error_code=error_code, topics=topics)


def test_a_cursor_is_the_offset_and_the_nonce_beside_it():
    assert cursor_in(answer((3, 42, str(NONCE), 0)), PARTITION) == Cursor(42, NONCE)


def test_no_cursor_is_believed_only_when_it_is_said_without_an_error():
    assert cursor_in(answer((3, -1, "", 0)), PARTITION) is None


@pytest.mark.parametrize(
    ("response", "error"),
    [
        pytest.param(answer(error_code=16), NotCoordinatorForGroupError, id="empty, from the wrong broker"),
        pytest.param(answer(error_code=14), GroupLoadInProgressError, id="empty, from one that is loading"),
        pytest.param(answer((3, -1, "", 16)), NotCoordinatorForGroupError, id="said of the partition"),
        pytest.param(answer(), KafkaError, id="no error, and nothing said either"),
        pytest.param(answer((2, 7, "", 0)), KafkaError, id="of another partition"),
    ],
)
def test_an_error_is_never_taken_for_absence_and_is_asked_again(response, error):
    with pytest.raises(error) as raised:
        cursor_in(response, PARTITION)

    assert raised.value.retriable


def test_a_cursor_that_a_tool_wrote_bears_no_nonce():
    assert cursor_in(answer((3, 42, "moved by hand", 0)), PARTITION) == Cursor(42, None)
    assert cursor_in(answer((3, 42, None, 0)), PARTITION) == Cursor(42, None)


def test_a_cursor_is_read_back_as_it_was_written():
    written = Cursor(42, NONCE).as_offset()

    assert cursor_in(answer((3, written.offset, written.metadata, 0)), PARTITION) == Cursor(42, NONCE)
