"""Records as they come off the log, and batches of them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import orjson

from worker.batches import Run, read_batch

LANES = 2
START_MS = 1_795_428_000_000  # 2026-11-23T10:00:00Z


@dataclass
class Record:
    value: bytes | None
    offset: int
    topic: str = "readings"
    partition: int = 0
    timestamp: int = START_MS
    key: bytes | None = None
    headers: tuple = ()
    timestamp_type: int = 1


def a_set(offset, seconds=0, *, patient="P-1", device="mon-1", mode="test", partition=0, **signs):
    """A record with one observation set; signs by name, defaults to an ordinary heart rate."""
    units = {"heart_rate": "/min", "respiratory_rate": "/min", "spo2": "%", "pulse": "/min"}
    observed = datetime.fromtimestamp(START_MS / 1000 + seconds, UTC).isoformat()
    readings = [
        {"vital_sign": sign, "value": value, "unit": units.get(sign, "?")}
        for sign, value in (signs or {"heart_rate": 80}).items()
    ]
    value = {
        "schema_version": 1,
        "message_id": f"m-{offset}",
        "patient_id": patient,
        "device_id": device,
        "observed_at": observed,
        "mode": mode,
        "acquisition": "spot_check",
        "readings": readings,
    }
    return Record(orjson.dumps(value), offset, partition=partition, timestamp=START_MS + int(seconds * 1000))


def a_command(offset, command="admit", command_id=None, **fields):
    value = {
        "schema_version": 1,
        "command_id": str(command_id or uuid4()),
        "command": command,
        "patient_id": "P-1",
        "issued_at": datetime.fromtimestamp(START_MS / 1000, UTC).isoformat(),
        "mode": "test",
        **fields,
    }
    return Record(orjson.dumps(value), offset, topic="commands")


async def a_batch(*records, stored=None):
    """A batch of *records*, each partition's claimed from where the first of them is, or from *stored*."""
    places = dict.fromkeys((record.topic, record.partition) for record in records)
    runs = []
    for topic, partition in places:
        some = [record for record in records if (record.topic, record.partition) == (topic, partition)]
        first = some[0].offset or None
        runs.append(Run(topic, partition, first if stored is None else stored, some))
    return await read_batch(runs, "commands")
