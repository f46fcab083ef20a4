import orjson
import pytest

from tests.unit.messages.announcements import NOW
from worker.messages import Heartbeat, heartbeat_record
from worker.messages.announced_shapes import HeartbeatV1


@pytest.mark.parametrize("lag", [None, 0.25])
def test_a_heartbeat_has_the_published_shape(lag):
    beat = Heartbeat(
        lane=4,
        published_seq=10,
        last_seq=12,
        instance="w-1",
        protocol_hash="abc",
        is_degraded=False,
        lag_seconds=lag,
        at=NOW,
    )

    key, value, headers = heartbeat_record(beat)

    assert key == b"4"
    assert set(orjson.loads(value)) == set(HeartbeatV1.model_fields)
    assert HeartbeatV1.model_validate_json(value).lag_seconds == lag
    assert headers == (("content-type", b"application/json"),)
