"""One transaction: all of it or nothing, with its time-outs, and recognisable when it fails."""

import asyncio
import time

import asyncpg
import pytest

from persistence.connection import Timeouts, transaction
from persistence.engine import create_engine
from persistence.errors import ErrorClass, LostClaimError, classify, is_transient
from persistence.progress import Claim
from persistence.unit_of_work import unit_of_work
from tests.contract.persistence.builders import a_reading, a_record

# Which of them it is when a connection has gone depends on who notices first.
ANY_OF_ASYNCPG = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


async def test_a_block_that_ends_is_committed(work, bystander):
    async with work() as unit:
        await unit.readings.add([a_reading()])

    assert await bystander.fetchval("SELECT count(*) FROM readings") == 1


async def test_nothing_written_by_copy_survives_a_block_that_raises(work, bystander):
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the transaction
        async with work() as unit:
            await unit.readings.add([a_reading()])  # the first thing done: nothing else began the transaction
            raise ZeroDivisionError

    assert await bystander.fetchval("SELECT count(*) FROM readings") == 0


async def test_what_is_written_is_seen_by_nobody_before_the_block_ends(work, bystander):
    async with work() as unit:
        await unit.readings.add([a_reading()])

        assert await bystander.fetchval("SELECT count(*) FROM readings") == 0


async def test_each_transaction_has_its_timeouts_and_the_session_has_none(engine):
    asked = (
        "SELECT current_setting('lock_timeout'), current_setting('statement_timeout'),"
        " current_setting('idle_in_transaction_session_timeout'), current_setting('transaction_isolation')"
    )
    async with transaction(engine, Timeouts()) as began:
        inside = tuple(await began.connection.fetchrow(asked))
    async with engine.begin() as connection:
        outside = tuple((await connection.exec_driver_sql(asked)).one())

    assert inside == ("5s", "10s", "3s", "read committed")
    assert outside == ("0", "0", "0", "read committed")


async def test_a_transaction_that_sits_idle_is_cut_off_and_its_locks_are_free(engine, work):
    async with work() as unit:
        await unit.lanes.ensure(1)

    with pytest.raises(ANY_OF_ASYNCPG) as cut_off:  # noqa: PT012 - the transaction
        async with unit_of_work(engine, timeouts=Timeouts(idle_in_transaction_ms=100)) as unit:
            await unit.outbox.append({0: [a_record()]})
            await asyncio.sleep(0.4)  # a stopped worker: nothing but time passing will do
            await unit.lanes.epoch(0)

    assert classify(cut_off.value) in (ErrorClass.TIMEOUT, ErrorClass.CONNECTION)
    async with unit_of_work(engine, timeouts=Timeouts(lock_ms=200)) as unit:
        assert await unit.outbox.append({0: [a_record()]}) == {0: 1}


async def test_a_transaction_that_computes_for_long_is_not_cut_off(engine, work):
    async with work() as unit:
        await unit.lanes.ensure(1)
    async with unit_of_work(engine, timeouts=Timeouts(idle_in_transaction_ms=900)) as unit:
        for _ in range(2):
            time.sleep(0.6)  # noqa: ASYNC251 - computing, which lets nobody else go on
            await unit.activity.show()

        assert await unit.outbox.append({0: [a_record()]}) == {0: 1}


async def test_waiting_too_long_for_a_lock_is_transient(engine, work):
    async with work() as unit:
        await unit.progress.claim([Claim("readings", 0, None, 5)])

    async with work() as unit:
        await unit.progress.claim([Claim("readings", 0, 5, 9)])
        with pytest.raises(asyncpg.LockNotAvailableError) as waited:
            async with unit_of_work(engine, timeouts=Timeouts(lock_ms=50)) as other:
                await other.progress.claim([Claim("readings", 0, 5, 9)])

    assert classify(waited.value) is ErrorClass.TIMEOUT


async def test_a_connection_lost_midway_is_transient_and_the_next_transaction_works(work, bystander):
    with pytest.raises(ANY_OF_ASYNCPG) as lost:  # noqa: PT012 - the transaction
        async with work() as unit:
            await unit.readings.add([a_reading()])
            await bystander.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'vigil' AND datname = current_database()"
            )
            await unit.readings.add([a_reading(2)])

    assert is_transient(lost.value)
    async with work() as unit:
        await unit.readings.add([a_reading(3)])
    assert await bystander.fetchval("SELECT count(*) FROM readings") == 1


async def test_a_cancelled_transaction_leaves_nothing_and_the_next_works(work, bystander):
    begun_writing = asyncio.Event()

    async def write_for_ever():
        async with work() as unit:
            await unit.readings.add([a_reading()])
            begun_writing.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write_for_ever())
    await begun_writing.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    async with work() as unit:
        await unit.readings.add([a_reading()])
    assert await bystander.fetchval("SELECT count(*) FROM readings") == 1


async def test_a_refused_connection_is_transient():
    engine = create_engine("postgresql+asyncpg://nobody@127.0.0.1:1/nothing", connect_timeout_seconds=1)

    with pytest.raises(OSError) as refused:
        async with unit_of_work(engine):
            pass

    assert classify(refused.value) is ErrorClass.CONNECTION
    await engine.dispose()


async def test_a_defect_is_not_transient_and_its_text_has_no_value(work):
    with pytest.raises(asyncpg.CheckViolationError) as defect:
        async with work() as unit:
            await unit.readings.add([a_reading(value=None, device_id="secret-device")])

    assert not is_transient(defect.value)
    assert "secret-device" not in str(defect.value)


async def test_a_lost_claim_is_not_transient():
    assert not is_transient(LostClaimError("readings/0 is at 9, not at 5"))


async def test_a_transaction_that_has_not_begun_is_refused(engine, monkeypatch):
    monkeypatch.setattr("asyncpg.Connection.is_in_transaction", lambda _: False)

    with pytest.raises(RuntimeError, match="not begun"):
        async with transaction(engine, Timeouts()):
            pass


async def test_a_vanished_peer_is_noticed(engine):
    async with transaction(engine, Timeouts()) as began:
        sock = began.connection._transport.get_extra_info("socket")

    assert sock.getsockopt(1, 9) == 1  # SOL_SOCKET, SO_KEEPALIVE
