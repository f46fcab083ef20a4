"""The floor: aiokafka `getmany`, orjson, asyncpg COPY and nothing else. Nothing is checked, judged or fenced.

The table has the product's primary key and no other index. Library defaults kept: aiokafka
max_partition_fetch_bytes=1 MiB, fetch_max_bytes=50 MiB, fetch_min_bytes=1, fetch_max_wait_ms=500,
max_poll_records=None (a batch is all that was fetched), check_crcs, enable_auto_commit every 5 s,
isolation_level=read_uncommitted; asyncpg: one connection, binary COPY, each its own transaction;
asyncio's event loop (uvloop made no difference).

Usage: python -m benchmarks.floor BOOTSTRAP_SERVERS DSN TOPIC GROUP
"""

import asyncio
import sys
from datetime import datetime
from uuid import UUID

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord

TABLE = """
CREATE TABLE IF NOT EXISTS readings (
    chart_id bigint, observed_at timestamptz, reading_id uuid,
    vital_sign text, value float8, device_id text, recorded_at timestamptz DEFAULT now(),
    PRIMARY KEY (chart_id, observed_at, reading_id)
)"""
COLUMNS = ("chart_id", "observed_at", "reading_id", "vital_sign", "value", "device_id")
Row = tuple[int, datetime, UUID, str, float | None, str]


def row(record: ConsumerRecord) -> Row:
    """Read the one reading of a record."""
    message = orjson.loads(record.value)
    reading = message["readings"][0]
    value = reading["value"]
    return (
        int(message["patient_id"][2:]),
        datetime.fromisoformat(message["observed_at"]),
        UUID(message["message_id"]),
        reading["vital_sign"],
        None if isinstance(value, str) else value,
        message["device_id"],
    )


async def main(servers: str, dsn: str, topic: str, group: str) -> None:
    """Store what the topic holds and what comes, until the process is ended."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(TABLE)
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=servers, group_id=group, auto_offset_reset="earliest"
    )
    await consumer.start()
    while True:
        batches = await consumer.getmany(timeout_ms=1000)
        rows = [row(record) for records in batches.values() for record in records]
        if rows:
            await connection.copy_records_to_table("readings", records=rows, columns=COLUMNS)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
