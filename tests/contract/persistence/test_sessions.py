"""Sessions: nothing is kept on the server's side where a pooler stands between, and what can be kept is kept otherwise."""

import asyncio
import sys
from functools import partial

import pytest
from sqlalchemy.engine import make_url

from deploy.local.configuration import CHECKOUT
from deploy.local.pgbouncer import LocalPgBouncer
from deploy.local.workspace import Workspace
from persistence import schema
from persistence.chart_cache import ChartKey
from persistence.connection import Timeouts
from persistence.engine import create_engine
from persistence.sessions import libpq_address
from persistence.unit_of_work import unit_of_work
from tests.contract.persistence.builders import a_record

pytestmark = [pytest.mark.services]

LEFT_BEHIND = """
SELECT (SELECT count(*) FROM pg_prepared_statements), current_setting('lock_timeout'),
       current_setting('statement_timeout'), current_setting('idle_in_transaction_session_timeout')
"""


@pytest.fixture
def pooler(pgbouncer, postgres):
    with Workspace() as workspace:
        pooler = LocalPgBouncer(workspace, postgres.dsn, connections=3)
        pooler.start()
        yield pooler


@pytest.fixture
async def pooled(pooler, database):
    engine = create_engine(pooler.in_front_of(database).url, pool_size=8)
    yield engine
    await engine.dispose()


async def append(engine, lane, times):
    for _ in range(times):
        async with unit_of_work(engine) as work:
            await work.charts.lock({ChartKey(f"P-{lane}", "real"): lane})
            await work.outbox.append({lane: [a_record()]})


async def test_units_of_work_share_few_server_connections(pooled):
    async with unit_of_work(pooled) as work:
        await work.lanes.ensure(6)

    await asyncio.gather(*(append(pooled, lane, 20) for lane in range(6)))

    async with unit_of_work(pooled) as work:
        assert [await work.outbox.last_seq(lane) for lane in range(6)] == [20] * 6


async def test_nothing_is_left_on_a_server_connection(pooled):
    async with unit_of_work(pooled, timeouts=Timeouts(lock_ms=1234)) as work:
        await work.lanes.ensure(2)
    await append(pooled, 1, 5)

    for _ in range(4):  # each time it is another
        async with pooled.connect() as connection:
            raw = (await connection.get_raw_connection()).driver_connection
            assert tuple(await raw.fetchrow(LEFT_BEHIND)) == (0, "0", "0", "0")


async def test_a_session_of_our_own_keeps_what_was_prepared(database):
    engine = create_engine(database.url)
    for _ in range(2):
        async with unit_of_work(engine) as work:
            await work.lanes.ensure(2)
            kept = await work.lanes._connection.fetchval("SELECT count(*) FROM pg_prepared_statements")
    await engine.dispose()

    assert kept > 1


async def test_two_upgrades_through_a_pooler_go_one_after_the_other(pooler, empty_database):
    program = f"from persistence.schema import upgrade; upgrade({pooler.in_front_of(empty_database).url!r})"
    start = partial(asyncio.create_subprocess_exec, sys.executable, "-c", program, cwd=CHECKOUT)

    upgrades = [await start() for _ in range(2)]

    assert [await upgrade.wait() for upgrade in upgrades] == [0, 0]
    engine = create_engine(empty_database.url)
    assert await schema.current(engine) == schema.head()
    await engine.dispose()


def test_the_address_is_told_to_the_driver_as_libpq_writes_it():
    url = make_url("postgresql+asyncpg://u:p%25w@[::1]:5433/d?ssl=require&sslrootcert=/a.pem&host=a&host=b")

    assert (
        libpq_address(url)
        == "postgresql://u:p%25w@[::1]:5433/d?host=a%2Cb&sslmode=require&sslrootcert=%2Fa.pem"
    )
