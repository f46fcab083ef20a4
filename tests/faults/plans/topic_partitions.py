"""An input topic with more partitions than before: raised while the worker runs, and while it is stopped."""

import time
from functools import partial

from confluent_kafka.admin import AdminClient, NewPartitions

from deploy.local.vigil import wait_until
from tests.faults.acting import IN_DATABASE, start_to_be_struck, strike, works_again
from tests.faults.evidence import COMMANDS, READINGS
from tests.faults.kinds import Kind
from tests.faults.plan import Act, Plan
from tests.faults.running import LANES, Run

_SEEN_SECONDS = 90.0


def _raise(run: Run, *topics: str, to: int) -> None:
    admin = AdminClient({"bootstrap.servers": run.installation.bootstrap_servers})
    wanted = [NewPartitions(run.installation.topic(topic), to) for topic in topics]
    for future in admin.create_partitions(wanted).values():
        future.result(10)


def _reads_all(run: Run, partitions: int) -> None:
    """Return once the worker reads so many, all told."""

    def does() -> bool:
        recovered = run.worker.entries("positions_recovered")
        return bool(recovered) and recovered[-1]["partitions"] == partitions

    assert wait_until(does, _SEEN_SECONDS), run.worker.last_words()
    works_again(run.worker)


def added_by_and_by(run: Run, strikes: int) -> None:
    """Raise the one input topic while the worker works, then the other while it is stopped, with every strike."""
    reached = LANES
    for _ in range(strikes):
        before, reached = reached, 2 * reached
        start_to_be_struck(run, IN_DATABASE)
        strike(run, partial(_raise, run, READINGS, to=reached))
        _reads_all(run, before + reached)
        time.sleep(2)
        run.worker.terminate()
        _added_while_stopped(run, COMMANDS, to=reached)
        _reads_all(run, 2 * reached)
        run.worker.terminate()
    run.start()


def added_while_stopped(run: Run, _strikes: int) -> None:
    run.start()
    run.worker.terminate()
    _added_while_stopped(run, READINGS, COMMANDS, to=2 * LANES)
    _reads_all(run, 4 * LANES)


def _added_while_stopped(run: Run, *topics: str, to: int) -> None:
    time.sleep(1)
    run.struck()
    _raise(run, *topics, to=to)
    run.worker.start()
    if not run.worker.wait_for("more_partitions_than_lanes"):
        run.wrong.append("nothing is said of partitions beyond the lanes")
    time.sleep(4)  # so that the load has found them


def _plan(act: Act, fault: str, *, strikes: int, seconds: float) -> Plan:
    return Plan(fault=fault, kind=Kind.INPUT, act=act, strikes=strikes, seconds=seconds)


MATRIX = [_plan(added_by_and_by, "partitions added to the input topics", strikes=2, seconds=150)]
SHORT = [_plan(added_while_stopped, "partitions added while stopped", strikes=1, seconds=20)]
