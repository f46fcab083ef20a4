from worker.health import STALLED_SECONDS, Health


def a_worker_that_is_ready():
    return Health(
        waiting_for=None, assigned=12, recovered=12, lanes_assigned=6, lanes_held=6, database_reachable=True
    )


def test_a_worker_that_reads_and_publishes_is_ready():
    assert a_worker_that_is_ready().reasons() == []


def test_a_worker_that_stands_by_without_a_partition_is_ready():
    assert Health(waiting_for=None).reasons() == []


def test_each_thing_that_is_missing_is_a_reason():
    health = a_worker_that_is_ready()
    health.waiting_for = "the broker at b:1"
    health.database_reachable = False
    health.paused_for = "database"
    health.unanswered = 4
    health.recovered = 10
    health.lanes_held = 5
    health.lanes_stopped = {3: "run `vigil lanes repair 3`"}
    health.oldest_unsent_seconds = 31.0

    assert health.reasons() == [
        "waiting for the broker at b:1",
        "the database does not answer",
        "input is paused: database",
        "the broker does not answer for 4 of 12 partitions",
        "2 of 12 partitions are not read from yet",
        "1 of 6 lanes are not published",
        "an alert has been waiting for 31 s to be published",
        "lane 3 has stopped: run `vigil lanes repair 3`",
    ]
    assert health.report()["ready"] is False


def test_a_worker_is_alive_while_its_event_loop_turns_whatever_else_is_missing():
    now = [100.0]
    health = Health(clock=lambda: now[0], database_reachable=False)

    now[0] += STALLED_SECONDS - 0.1
    assert health.is_alive

    now[0] += 0.2
    assert not health.is_alive

    health.tick()
    assert health.is_alive
