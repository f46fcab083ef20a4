"""Records deleted from the readings topic before they were read: what is lost is what was removed, and what is reported."""

import time
from collections.abc import Mapping
from contextlib import closing

import psycopg
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from deploy.local.vigil import wait_until
from tests.faults.acting import works_again
from tests.faults.evidence import READINGS, records
from tests.faults.kinds import Kind
from tests.faults.plan import Plan
from tests.faults.running import Run

_UNREAD_S = 3.0
_NOTED_S = 1.0  # by then the load has noted what the broker has accepted
_TOLD_SECONDS = 90.0


def truncated(run: Run, strikes: int) -> None:
    """Stop the worker, let input gather, delete the older part of it, and let the worker go on."""
    run.start()
    for _ in range(strikes):
        time.sleep(run.random.uniform(1, 2))
        run.worker.terminate()
        time.sleep(_UNREAD_S)
        run.struck()
        removed = _truncate(run)
        run.worker.start()
        told = wait_until(lambda: _reported(run) == removed, _TOLD_SECONDS)  # noqa: B023  called at once
        if not told:
            run.wrong.append(f"{removed} records were removed, {_reported(run)} were reported")
        works_again(run.worker)


def _truncate(run: Run) -> int:
    """Delete what nobody has read yet up to some offset, and keep account; returns how many are gone."""
    topic, next_offset = run.installation.topic(READINGS), _next_offsets(run)
    log = list(records(run.installation, READINGS))
    time.sleep(_NOTED_S)
    ends = {
        number: max(each.offset for each in log if each.partition == number) + 1 for number in next_offset
    }
    cut = {number: begin + (ends[number] - begin) * 2 // 3 for number, begin in next_offset.items()}
    run.sent.kept += [each for each in log if each.offset < next_offset[each.partition]]
    gone = [each for each in log if next_offset[each.partition] <= each.offset < cut[each.partition]]
    for each in gone:
        del run.sent.messages[each.place]
    run.sent.removed += len(gone)
    admin = AdminClient({"bootstrap.servers": run.installation.bootstrap_servers})
    wanted = [TopicPartition(topic, number, offset) for number, offset in cut.items()]
    for future in admin.delete_records(wanted).values():
        future.result(10)
    return len(gone)


def _next_offsets(run: Run) -> Mapping[int, int]:
    topic = run.installation.topic(READINGS)
    with closing(psycopg.connect(run.installation.dsn)) as connection:
        asked = "SELECT partition, next_offset FROM progress WHERE topic = %s"
        return dict(connection.execute(asked, [topic]).fetchall())


def _reported(run: Run) -> int:
    return sum(int(str(entry["offsets"])) for entry in run.worker.entries("input_lost"))


def _plan(strikes: int, seconds: float) -> Plan:
    return Plan(
        fault="readings deleted before they were read",
        kind=Kind.INPUT,
        act=truncated,
        strikes=strikes,
        seconds=seconds,
    )


MATRIX = [_plan(3, 50)]
SHORT = [_plan(1, 25)]
