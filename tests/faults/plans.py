"""The fault plans: what is done to a running Vigil under load, bounded and seeded."""

import signal
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psycopg

from deploy.local import Kafka, Postgres
from deploy.local.vigil import wait_until
from tests.faults.running import LANES, Run
from tests.faults.workers import Worker
from worker.fault_points import FaultPoint

Act = Callable[[Run], None]
Names = Mapping[str, Mapping[str, str]]

# With a name of its own a worker gets its partitions back at once, so that it is killed at work.
ALONE: Names = {"alone": {"VIGIL_INSTANCE_ID": "alone"}}
TWO: Names = {"one": {}, "two": {}}
TWO_QUICK: Names = {name: {"VIGIL_SESSION_TIMEOUT": "6"} for name in TWO}
THREE: Names = {"one": {}, "two": {}, "three": {}}
THREE_NAMED: Names = {name: {"VIGIL_INSTANCE_ID": name} for name in THREE}

_TAKING = (FaultPoint.TAKING_LANE_AFTER_PRODUCER_START, FaultPoint.TAKING_LANE_AFTER_CURSOR)
_IN_KAFKA = (FaultPoint.MID_KAFKA_TRANSACTION, FaultPoint.BEFORE_KAFKA_COMMIT, FaultPoint.AFTER_KAFKA_COMMIT)
_POINT_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One kind of fault; *strikes* is how often it strikes in a run, and *runs* how many there are."""

    fault: str
    act: Callable[[int], Act]
    strikes: int
    names: Names = field(default_factory=lambda: ALONE)
    runs: int = 1


def kill_at_point(point: FaultPoint) -> Callable[[int], Act]:
    """Let the worker die at *point* again and again, each time after it has passed it some times."""

    def plan(strikes: int) -> Act:
        def act(run: Run) -> None:
            for _ in range(strikes):
                _die_at(run, point)
            run.start()

        return act

    return plan


def kill_at_every_point(strikes: int) -> Act:
    def act(run: Run) -> None:
        for _ in range(strikes):
            for point in FaultPoint:
                _die_at(run, point)
        run.start()

    return act


def _die_at(run: Run, point: FaultPoint) -> None:
    worker = run.worker
    worker.start(VIGIL_FAULT_POINT=f"{point}:{_times(run, point)}")
    assert worker.wait(_POINT_SECONDS) == -signal.SIGKILL, f"{point} was not reached"
    run.struck(_reached_at(worker))


def _times(run: Run, point: FaultPoint) -> int:
    if point in _TAKING:
        return run.random.randint(1, LANES)
    if point in _IN_KAFKA:
        return run.random.randint(1, 10 * LANES)
    return run.random.randint(1, 30)


def _reached_at(worker: Worker) -> datetime:
    """When the present process said that it was at its fault point."""
    (told,) = worker.entries("fault_point_reached")
    return datetime.fromtimestamp(float(str(told["at"])), UTC)


def kill_at_random_moments(strikes: int) -> Act:
    """Kill whatever the worker is at: while it starts, as it catches up, in the middle of its work."""

    def act(run: Run) -> None:
        run.worker.start()
        for _ in range(strikes):
            if run.random.random() < 0.2:
                time.sleep(run.random.uniform(0.2, 2.0))
            else:
                assert run.worker.wait_for("batch_handled")
                time.sleep(run.random.choice((0.3, 0.6, 4.0)) * run.random.random())
            run.worker.kill()
            run.struck()
            run.worker.start()
        assert run.worker.wait_for("batch_handled")

    return act


def tell_to_stop(strikes: int) -> Act:
    """SIGTERM in the middle of the work."""

    def act(run: Run) -> None:
        run.start()
        for _ in range(strikes):
            time.sleep(run.random.uniform(0.5, 2))
            run.struck()
            run.worker.terminate()
            run.start()

    return act


def stall(strikes: int) -> Act:
    """Freeze the worker for less than its session lasts."""

    def act(run: Run) -> None:
        run.start()
        for _ in range(strikes):
            time.sleep(run.random.uniform(0.5, 1.5))
            run.worker.send(signal.SIGSTOP)
            time.sleep(run.random.uniform(1, 4))
            run.struck()
            run.worker.send(signal.SIGCONT)

    return act


def zombie(seconds: float, point: FaultPoint | None = None) -> Callable[[int], Act]:
    """Freeze a worker, at *point* or anywhere, until another has taken over; *seconds* later let it go on."""

    def plan(strikes: int) -> Act:
        def act(run: Run) -> None:
            frozen, other = run.workers.values()
            other.start()  # so that no partition is new to the database any more
            assert wait_until(lambda: _partitions_of(other) == 2 * LANES, 60)
            assert other.wait_for("batch_handled")
            other.terminate()
            for _ in range(strikes):
                _freeze(run, frozen, point)
                other.start()
                assert wait_until(lambda: _partitions_of(other) == 2 * LANES, 60), "nobody has taken over"
                time.sleep(seconds)
                frozen.send(signal.SIGCONT)
                _works_again(frozen)
                time.sleep(1)
                other.terminate()
                frozen.terminate()
            run.start()

        return act

    return plan


def _freeze(run: Run, frozen: Worker, point: FaultPoint | None) -> None:
    """Start a worker and freeze it; at its first claim, which is of all that came before it."""
    if point is None:
        frozen.start()
        assert frozen.wait_for("batch_handled")
        time.sleep(run.random.uniform(1, 3))
        frozen.send(signal.SIGSTOP)
        run.struck()
    else:
        times = 1 if point is FaultPoint.BEFORE_CLAIM else _times(run, point)
        frozen.start(VIGIL_FAULT_POINT=f"{point}:{times}:stop")
        assert frozen.wait_for("fault_point_reached")
        run.struck(_reached_at(frozen))


def _partitions_of(worker: Worker) -> int:
    """How many partitions the present process reads."""
    recovered = worker.entries("positions_recovered")
    return int(str(recovered[-1]["partitions"])) if recovered else 0


def come_and_go(strikes: int) -> Act:
    """Several workers, of which every few seconds one is killed or told to stop, and starts again."""

    def act(run: Run) -> None:
        run.start()
        for _ in range(strikes):
            time.sleep(run.random.uniform(1, 3))
            worker = run.random.choice(list(run.workers.values()))
            if run.random.random() < 0.7:
                worker.kill()
            else:
                worker.terminate()
            run.struck()
            time.sleep(run.random.uniform(0, 2))
            worker.start()
        for worker in run.workers.values():
            assert worker.wait_for("positions_recovered"), f"{worker.name} does not come back"

    return act


def broker_faults(fault: Callable[[Kafka], None]) -> Callable[[int], Act]:
    """Do *fault* to the broker in the middle of the work."""

    def plan(strikes: int) -> Act:
        def act(run: Run) -> None:
            run.start()
            kafka = _services(run)[0]
            for _ in range(strikes):
                time.sleep(run.random.uniform(1, 3))
                run.struck()  # a moment before: nobody can be asked afterwards
                fault(kafka)
            _works_again(run.worker)

        return act

    return plan


def database_faults(fault: Callable[[Postgres, str], None]) -> Callable[[int], Act]:
    """Do *fault* to the database in the middle of the work."""

    def plan(strikes: int) -> Act:
        def act(run: Run) -> None:
            run.start()
            postgres = _services(run)[1]
            for _ in range(strikes):
                time.sleep(run.random.uniform(1, 3))
                fault(postgres, run.installation.dsn)
                run.struck()
            _works_again(run.worker)

        return act

    return plan


def _services(run: Run) -> tuple[Kafka, Postgres]:
    assert run.services is not None, "this plan needs services of its own"
    return run.services.kafka, run.services.postgres


def _works_again(worker: Worker) -> None:
    handled = worker.said("batch_handled")
    assert wait_until(lambda: worker.said("batch_handled") > handled, 90), (
        f"it does not resume by itself: {worker.last_words()}"
    )


def _kill_broker(kafka: Kafka) -> None:
    kafka.kill()
    kafka.start()


def _kill_database(postgres: Postgres, _: str) -> None:
    postgres.kill()
    postgres.start()


def _restart_database(postgres: Postgres, _: str) -> None:
    postgres.restart()


def _cut_off(_: Postgres, dsn: str) -> None:
    with closing(psycopg.connect(dsn, autocommit=True)) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


WORKER = [
    *(Plan(fault=f"killed {point}", act=kill_at_point(point), strikes=10) for point in FaultPoint),
    Plan(fault="killed at random moments", act=kill_at_random_moments, strikes=20, runs=4),
    Plan(fault="told to stop", act=tell_to_stop, strikes=8),
    Plan(fault="stalled", act=stall, strikes=6),
    Plan(fault="three come and go", act=come_and_go, strikes=20, names=THREE),
    Plan(fault="three with names come and go", act=come_and_go, strikes=20, names=THREE_NAMED),
    Plan(fault="zombie", act=zombie(20), strikes=1, runs=3, names=TWO),
    Plan(
        fault="zombie in a Kafka transaction",
        act=zombie(20, FaultPoint.MID_KAFKA_TRANSACTION),
        strikes=2,
        names=TWO,
    ),
    Plan(fault="zombie before a claim", act=zombie(20, FaultPoint.BEFORE_CLAIM), strikes=2, names=TWO),
    Plan(fault="zombie before a commit", act=zombie(20, FaultPoint.BEFORE_COMMIT), strikes=2, names=TWO),
]
SERVICES = [
    Plan(fault="broker killed", act=broker_faults(_kill_broker), strikes=8),
    Plan(fault="broker restarted", act=broker_faults(Kafka.restart), strikes=6),
    Plan(fault="database killed", act=database_faults(_kill_database), strikes=8),
    Plan(fault="database restarted", act=database_faults(_restart_database), strikes=8),
    Plan(fault="connections cut off", act=database_faults(_cut_off), strikes=10),
]
MATRIX = [*WORKER, *SERVICES]

SHORT = [
    Plan(fault="killed at each fault point", act=kill_at_every_point, strikes=1),
    Plan(fault="told to stop", act=tell_to_stop, strikes=1),
    Plan(
        fault="zombie in a Kafka transaction",
        act=zombie(2, FaultPoint.MID_KAFKA_TRANSACTION),
        strikes=1,
        names=TWO_QUICK,
    ),
    Plan(fault="zombie before a claim", act=zombie(2, FaultPoint.BEFORE_CLAIM), strikes=1, names=TWO_QUICK),
    Plan(fault="three come and go", act=come_and_go, strikes=3, names=THREE),
    Plan(fault="broker killed", act=broker_faults(_kill_broker), strikes=1),
    Plan(fault="broker restarted", act=broker_faults(Kafka.restart), strikes=1),
    Plan(fault="database killed", act=database_faults(_kill_database), strikes=1),
    Plan(fault="database restarted", act=database_faults(_restart_database), strikes=1),
    Plan(fault="connections cut off", act=database_faults(_cut_off), strikes=3),
]
"""Every kind once."""
