"""A header's name may be any bytes on the wire; aiokafka as it comes stops for ever at one that is not UTF-8."""

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.record.memory_records import MemoryRecords

from worker import lenient_records


class Bytes(str):
    """A header's name that is written as these bytes."""

    __slots__ = ()

    def encode(self, *_):
        return b"\xff\xfe"


@pytest.fixture(autouse=True)
def _as_aiokafka_comes(monkeypatch):
    """Whatever an earlier test has installed for the whole process."""
    monkeypatch.setattr(fetcher, "MemoryRecords", MemoryRecords)
    monkeypatch.setattr(fetcher, "PartitionRecords", lenient_records.TolerantRecords.__base__)


@pytest.fixture(params=["none", "gzip"])
async def partition(request, kafka_bootstrap, names):
    """Seven records; the second and the fourth have a name that is not UTF-8."""
    place = TopicPartition(names.dead_letters, 0)
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka_bootstrap,
        compression_type=None if request.param == "none" else request.param,
    )
    await producer.start()
    for number in range(5):
        if number in (1, 2):
            batch = producer.create_batch()
            batch._builder = _DefaultRecordBatchBuilderPy(
                magic=2, compression_type=0 if request.param == "none" else 1, is_transactional=0, producer_id=-1,
                producer_epoch=-1, base_sequence=0, batch_size=16384,
            )  # fmt: skip
            batch.append(key=b"k", value=b"first", timestamp=1, headers=[("good", b"1")])
            batch.append(key=b"k", value=b"bad", timestamp=1, headers=[(Bytes("x"), b"\xff")])
            await (await producer.send_batch(batch, place.topic, partition=0))
        else:
            await producer.send_and_wait(place.topic, b"%d" % number, partition=0)
    await producer.stop()
    return place


async def read(kafka_bootstrap, partition, count):
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka_bootstrap, isolation_level="read_committed", enable_auto_commit=False
    )
    await consumer.start()
    try:
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        records = []
        while len(records) < count:
            for some in (await consumer.getmany(timeout_ms=2000, max_records=2)).values():
                records.extend(some)
        return records
    finally:
        await consumer.stop()


async def test_every_record_comes_through_whatever_its_headers_are_called(kafka_bootstrap, partition):
    lenient_records.install()

    records = await read(kafka_bootstrap, partition, 7)

    assert [record.offset for record in records] == list(range(7))
    assert [record.value for record in records] == [b"0", b"first", b"bad", b"first", b"bad", b"3", b"4"]
    assert records[2].headers == ((r"\xff\xfe", b"\xff"),)


async def test_without_it_the_consumer_is_stuck(kafka_bootstrap, partition):
    with pytest.raises(UnicodeDecodeError):
        await read(kafka_bootstrap, partition, 7)
