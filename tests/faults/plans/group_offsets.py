"""What an operator can do to the groups: the readers' offsets reset or expired, the cursors deleted."""

import os
import subprocess
import sys
import time

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

from deploy.local.vigil import wait_until
from tests.faults.acting import works_again
from tests.faults.evidence import COMMANDS, READINGS
from tests.faults.kinds import Kind
from tests.faults.plan import Names, Plan
from tests.faults.running import LANES, Run

# Without a name it leaves the group when it is told to stop; a group that has members cannot be deleted.
LEAVING: Names = {"leaving": {}}
_REPAIR_SECONDS = 60.0
_SEEN_SECONDS = 90.0  # a busy machine takes its time to start a process


def _admin(run: Run) -> AdminClient:
    return AdminClient({"bootstrap.servers": run.installation.bootstrap_servers})


def _delete(run: Run, group: str) -> None:
    """Delete a group that has no member, with its offsets; as if they had expired."""
    admin = _admin(run)  # with it, what it has under way would be gone
    admin.delete_consumer_groups([group])[group].result(10)


def _reset(run: Run, offset: int) -> None:
    """Let the group's offsets say *offset* of every input partition."""
    partitions = [
        TopicPartition(run.installation.topic(topic), number, offset)
        for topic in (READINGS, COMMANDS)
        for number in range(LANES)
    ]
    wanted = [ConsumerGroupTopicPartitions(run.installation.group, partitions)]
    admin = _admin(run)
    admin.alter_consumer_group_offsets(wanted)[run.installation.group].result(10)


def offsets_reset(run: Run, strikes: int) -> None:
    """Stop the worker, and while input waits reset the offsets to the beginning, beyond all there is, or to nothing."""
    run.start()
    for number in range(strikes):
        time.sleep(run.random.uniform(0.5, 1.5))
        run.worker.terminate()
        time.sleep(1)
        run.struck()
        if number % 3 == 0:
            _delete(run, run.installation.group)
        else:
            _reset(run, 0 if number % 3 == 1 else 10**9)
        run.start()


def cursors_deleted(run: Run, strikes: int) -> None:
    """Delete the cursors while the worker is stopped: every lane stops, and says so, until it is repaired."""
    run.start()
    for _ in range(strikes):
        time.sleep(run.random.uniform(1, 2))
        run.worker.kill()
        time.sleep(0.5)
        run.struck()
        _delete(run, f"{run.installation.group}.published")
        run.worker.start()
        stopped = wait_until(lambda: run.worker.said("lane_stopped") == LANES, _SEEN_SECONDS)
        assert stopped, f"not every lane has stopped: {run.worker.last_words()}"
        works_again(run.worker)  # intake goes on
        for lane in range(LANES):
            _repair(run, lane)
        taken = wait_until(lambda: run.worker.said("lane_taken") >= LANES, _SEEN_SECONDS)
        assert taken, f"not every lane goes on: {run.worker.last_words()}"


def _repair(run: Run, lane: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "worker", "lanes", "repair", str(lane)],
        env={**os.environ, **run.worker.environment},
        capture_output=True, text=True, timeout=_REPAIR_SECONDS, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        run.wrong.append(f"the repair of a lane ended with {done.returncode}: {done.stderr.strip()[-200:]}")


MATRIX = [
    Plan(
        fault="group's offsets reset",
        kind=Kind.GROUP,
        act=offsets_reset,
        strikes=6,
        seconds=60,
        names=LEAVING,
    ),
    Plan(fault="cursors deleted while stopped", kind=Kind.GROUP, act=cursors_deleted, strikes=2, seconds=90),
]
SHORT = [
    Plan(
        fault="group's offsets reset",
        kind=Kind.GROUP,
        act=offsets_reset,
        strikes=2,
        seconds=25,
        names=LEAVING,
    ),
    Plan(fault="cursors deleted while stopped", kind=Kind.GROUP, act=cursors_deleted, strikes=1, seconds=40),
]
