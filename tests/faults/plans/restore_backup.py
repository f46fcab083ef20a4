"""The database restored from a backup taken under load; and cursors that a tool resets under running workers."""

import time
from collections.abc import Mapping
from contextlib import closing

import psycopg
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

from deploy.local import Database
from deploy.local.accounts import COMMANDS, READINGS
from deploy.local.vigil import wait_until
from tests.faults import backups
from tests.faults.acting import works_again
from tests.faults.evidence import ROLES, cursors, ends
from tests.faults.kinds import Kind
from tests.faults.plan import Plan
from tests.faults.repairing import audit, expect_stop, repair
from tests.faults.running import LANES, Run

_CAUGHT_UP_SECONDS = 90.0


def restore(run: Run, strikes: int) -> None:
    """Take a backup under load, go on, put it in the place of the database, and repair what stops."""
    run.start()
    database = Database(run.installation.dsn)
    for _ in range(strikes):
        time.sleep(run.random.uniform(3, 5))
        file = run.worker.workspace.folder / "backup"
        backups.take(database, file)
        backed_up = _last_numbers(run)  # or a little beyond
        time.sleep(run.random.uniform(3, 5))
        run.struck()
        out = cursors(run.installation, range(LANES))
        backups.restore(database, file)
        begun = time.monotonic()
        lost = [lane for lane, seq in out.items() if seq > backed_up[lane]]
        expect_stop(run, lost, begun)
        repair(run, lost)
        _catch_up(run)
    _account_for(run)


def reset_cursors(run: Run, strikes: int) -> None:
    """Set every cursor elsewhere, as a tool would, while the lanes are being published; and repair them."""
    run.start()
    for _ in range(strikes):
        time.sleep(run.random.uniform(2, 4))
        run.struck()
        out = cursors(run.installation, range(LANES))
        _set(run, {lane: run.random.choice((0, seq // 2, seq, seq + 1000)) for lane, seq in out.items()})
        begun = time.monotonic()
        expect_stop(run, out, begun)
        repair(run, out)
        works_again(run.worker)
    _account_for(run)
    if run.gone:
        run.wrong.append(f"{len(run.gone)} alerts are said to be of another history, and none was restored")


def _set(run: Run, numbers: Mapping[int, int]) -> None:
    """What `kafka-consumer-groups --reset-offsets` writes."""
    topic = run.installation.topic(ROLES["alerts"])
    places = [TopicPartition(topic, lane, number) for lane, number in numbers.items()]
    admin = AdminClient({"bootstrap.servers": run.installation.bootstrap_servers})
    asked = [ConsumerGroupTopicPartitions(f"{run.installation.group}.published", places)]
    for future in admin.alter_consumer_group_offsets(asked).values():
        future.result(10)


def _last_numbers(run: Run) -> dict[int, int]:
    with closing(psycopg.connect(run.installation.dsn)) as connection:
        return dict(connection.execute("SELECT lane, last_seq FROM lanes").fetchall())


def _catch_up(run: Run) -> None:
    """Return once all has been taken in that was in the log by now."""
    reached = {**ends(run.installation, READINGS), **ends(run.installation, COMMANDS)}

    def is_caught_up() -> bool:
        with closing(psycopg.connect(run.installation.dsn)) as connection:
            rows = connection.execute("SELECT topic, partition, next_offset FROM progress").fetchall()
        progress = {(topic, partition): offset for topic, partition, offset in rows}
        return all(progress.get(place, 0) >= end for place, end in reached.items())

    if not wait_until(is_caught_up, _CAUGHT_UP_SECONDS):
        run.wrong.append("what the backup lacked was not taken in again in time")


def _account_for(run: Run) -> None:
    """Let the audit list what is out and follows from nothing stored; anything else it finds is wrong."""
    time.sleep(2)  # what has just been taken in again is published
    account = audit(run)
    gone = "out, of a history that is gone: noted by a repair after a restore"
    run.wrong.extend(f"the audit says: {each}" for each in account["wrong"] if each["how"] != gone)
    run.gone = {each["where"].rpartition(" ")[2] for each in account["findings"] if each["how"] == gone}


MATRIX = [
    Plan(fault="restored from a backup", kind=Kind.DATABASE, act=restore, strikes=1, runs=2, seconds=90),
    Plan(fault="cursors reset by a tool", kind=Kind.GROUP, act=reset_cursors, strikes=3, seconds=80),
]
SHORT = [
    Plan(fault="restored from a backup", kind=Kind.DATABASE, act=restore, strikes=1, seconds=35),
]
