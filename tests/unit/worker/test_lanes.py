import pytest
from aiokafka.partitioner import murmur2

from worker.lanes import lane_of

# From Apache Kafka's own UtilsTest.testMurmur2: signed 32-bit.
JAVA = [
    ("21", -973932308),
    ("foobar", -790332482),
    ("a-little-bit-long-string", -985981536),
    ("a-little-bit-longer-string", -1486304829),
    ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
    ("abc", 479470107),
]


@pytest.mark.parametrize(("key", "hashed"), JAVA)
def test_the_hash_is_that_of_the_java_client(key, hashed):
    assert murmur2(key.encode()) & 0xFFFFFFFF == hashed & 0xFFFFFFFF


@pytest.mark.parametrize(("key", "hashed"), JAVA)
@pytest.mark.parametrize("lanes", [1, 6, 12])
def test_a_lane_is_the_partition_the_java_client_would_pick(key, hashed, lanes):
    assert lane_of(key, lanes) == (hashed & 0x7FFFFFFF) % lanes


def test_a_patient_of_any_script_has_a_lane():
    assert 0 <= lane_of("ÑÜ-42-日本", 6) < 6
