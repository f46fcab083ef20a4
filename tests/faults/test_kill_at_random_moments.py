"""kill -9 at random moments under load: nothing lost, nothing doubled, nothing out of order; and the checker can tell."""

import secrets
from contextlib import closing
from dataclasses import replace

import psycopg
import pytest

from deploy.local.accounts import Installation
from deploy.local.vigil import vigil, wait_until
from tests.faults.checking import check
from tests.faults.plan import ALONE
from tests.faults.plans.worker_kills import kill_at_random_moments
from tests.faults.replaying import replay
from tests.faults.running import run_fault, seed_of_the_day

KILLS = 20

pytestmark = [
    pytest.mark.services,
    pytest.mark.faults,
    pytest.mark.slow,
    pytest.mark.timeout(400),
]


@pytest.fixture(scope="module")
def result(kafka_bootstrap, postgres, database_template):
    """One worker, killed and started again, killed and started again."""
    prefix = f"test-{secrets.token_hex(5)}."
    with (
        postgres.database(template=database_template) as database,
        pytest.MonkeyPatch.context() as environment,
    ):
        environment.setenv("VIGIL_KAFKA_BOOTSTRAP_SERVERS", kafka_bootstrap)
        environment.setenv("VIGIL_TOPIC_PREFIX", prefix)
        vigil("topics", "create")
        installation = Installation(
            bootstrap_servers=kafka_bootstrap, dsn=database.dsn, topic_prefix=prefix, group=f"{prefix}vigil"
        )
        yield run_fault(installation, kill_again_and_again, seed=seed_of_the_day(), names=ALONE)


def kill_again_and_again(run):
    kill_at_random_moments(run, KILLS)
    assert wait_until(lambda: count_of_ticks(run.installation) > 5, 60)


def count_of_ticks(installation):
    with closing(psycopg.connect(installation.dsn)) as connection:
        return connection.execute("SELECT count(*) FROM ticks").fetchone()[0]


def test_every_alert_that_the_input_calls_for_is_out_once_and_in_order(result):
    found = result.findings

    assert found.wrong[:5] == [], f"seed {seed_of_the_day()}: {result.complaints}"
    assert (found.lost, found.doubled, found.out_of_order) == (0, 0, 0)


def test_the_worker_was_killed_with_alerts_in_doubt_and_much_to_tell(result):
    found = result.findings

    assert result.moments_in_doubt >= KILLS // 2
    assert min(found.phases.get(phase, 0) for phase in ("start", "escalate", "end")) > 20
    assert min(found.duplicates, found.dead_letters, found.ticks) > 5


def test_the_last_one_stops_in_good_order(result):
    assert result.exit_codes == [0]
    assert result.seconds_to_stop < 10


def one_less(some):
    return [*some[: len(some) // 2], *some[len(some) // 2 + 1 :]]


def one_twice(some):
    return [*some, some[len(some) // 2]]


def two_swapped(some):
    """The first two of one partition, each in the other's place."""
    first, second = [at for at, record in enumerate(some) if record.partition == some[0].partition][:2]
    swapped = list(some)
    swapped[first], swapped[second] = some[second], some[first]
    return swapped


def one_changed(some):
    changed = some[0]._replace(value=some[0].value.replace(b'"start"', b'"start" ').replace(b"1", b"2", 1))
    return [changed, *some[1:]]


@pytest.mark.parametrize(
    ("tamper", "count"),
    [
        pytest.param(one_less, "lost", id="an alert lost"),
        pytest.param(one_twice, "doubled", id="an alert doubled"),
        pytest.param(two_swapped, "out_of_order", id="two alerts swapped"),
        pytest.param(one_changed, None, id="an alert changed"),
    ],
)
def test_an_alert_that_is_not_as_it_must_be_is_found(result, tamper, count):
    out = {**result.evidence.out, "alerts": tamper(result.evidence.out["alerts"])}

    found = check(replace(result.evidence, out=out), result.sent, result.replayed)

    assert found.wrong
    assert count is None or getattr(found, count) > 0


@pytest.mark.parametrize(
    ("table", "tamper"),
    [
        ("readings", one_less),
        ("readings", one_twice),
        ("readings", lambda rows: [rows[0]._replace(value=1.5), *rows[1:]]),
        ("ticks", one_less),
        ("commands", one_less),
        ("dead_letters", one_less),
        ("charts", lambda rows: [rows[0]._replace(form={}), *rows[1:]]),
        ("outbox", lambda rows: [rows[0]._replace(value=b"{}"), *rows[1:]]),
    ],
)
def test_a_row_that_is_not_as_it_must_be_is_found(result, table, tamper):
    evidence = replace(result.evidence, **{table: tamper(getattr(result.evidence, table))})

    found = check(evidence, result.sent, replay(evidence, result.protocol))

    assert found.wrong


def test_a_cursor_that_is_not_at_the_last_number_is_found(result):
    cursors = {lane: seq - 1 for lane, seq in result.evidence.cursors.items()}

    found = check(replace(result.evidence, cursors=cursors), result.sent, result.replayed)

    assert found.wrong
