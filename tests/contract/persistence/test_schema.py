"""The migrations: they lead to the tables, down and up again keeps what was there, and nobody waits for them."""

import ast
import asyncio
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations

import migrations
from domain.observations import Mode
from migrations.timeouts import limit_waiting
from persistence import schema
from persistence.alarms import Episode
from persistence.engine import create_engine
from persistence.errors import SchemaNotMigratedError
from persistence.installation import Identity
from persistence.progress import Claim
from persistence.tables import metadata
from persistence.ticks import TickRow
from persistence.unit_of_work import unit_of_work
from persistence.wards import WardKey
from tests.contract.persistence.builders import (
    NOON,
    a_dead_letter,
    a_key,
    a_reading,
    a_record,
    an_admission,
    an_alarm,
    changed,
)  # fmt: skip

VERSIONS = sorted(Path(migrations.__file__).parent.glob("versions/*.py"))

# Everything that tells one schema from another, as PostgreSQL itself would print it.
FINGERPRINT = """
SELECT c.relname, 'table', concat_ws(' ', c.relkind, c.reloptions::text, pg_get_partkeydef(c.oid),
       pg_get_expr(c.relpartbound, c.oid), obj_description(c.oid))
FROM pg_class AS c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'S')
UNION ALL
SELECT c.relname, a.attname, concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
       a.attstorage, a.attcompression, l.collname, pg_get_expr(d.adbin, d.adrelid))
FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid LEFT JOIN pg_collation AS l ON l.oid = a.attcollation
LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
ORDER BY 1, 2, 3
"""


def in_a_thread(function, *arguments: Any) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *arguments).result()


async def fingerprint(url):
    engine = create_engine(url)
    async with engine.connect() as connection:
        rows = (await connection.exec_driver_sql(FINGERPRINT)).all()
    await engine.dispose()
    return [tuple(row) for row in rows if row[0] != "alembic_version"]


async def test_upgrading_from_empty_equals_the_tables(database_url, empty_database):
    engine = create_engine(empty_database.url)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await engine.dispose()

    assert await fingerprint(database_url) == await fingerprint(empty_database.url)


async def test_alembic_finds_nothing_left_to_migrate(engine):
    def differences(connection):
        options = {"include_object": lambda _, name, *__: not (name or "").startswith("readings_")}
        return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


@pytest.fixture
async def bystander_of_empty(empty_database):
    connection = await asyncpg.connect(empty_database.url.replace("postgresql+asyncpg://", "postgresql://"))
    yield connection
    await connection.close()


async def fill(engine):
    """Put a row into every table."""
    key, ward = a_key(), WardKey("7B", Mode.REAL)
    async with unit_of_work(engine) as unit:
        await unit.progress.claim([Claim("readings", 0, None, 5)])
        await unit.lanes.ensure(2)
        await unit.installation.claim(Identity(group="vigil", topic_prefix=""))
        stored = (await unit.charts.lock({key: 1}))[key]
        await unit.charts.save({key: 0}, [changed(stored, admission=an_admission())])
        await unit.wards.lock({ward: 0})
        await unit.readings.add([a_reading(chart_id=stored.chart_id)])
        await unit.ticks.add([TickRow(stored.chart_id, 2, NOON)])
        await unit.alarms.save(
            [Episode(alarm=an_alarm(), mode=Mode.REAL, chart_id=stored.chart_id, updated_seq=1)]
        )
        await unit.dead_letters.add([a_dead_letter()])
        await unit.outbox.append({1: [a_record()]})


async def rows(connection):
    tables = [table.name for table in metadata.sorted_tables]
    present = [name for name in tables if await connection.fetchval("SELECT to_regclass($1)", name)]
    return {name: [dict(row) for row in await connection.fetch(f"SELECT * FROM {name}")] for name in present}


def as_held_by(older, rows):
    """Those tables and columns of *rows* that *older* has as well."""
    columns = {name: older[name][0].keys() if older[name] else () for name in older}
    return {name: [{column: row[column] for column in columns[name]} for row in rows[name]] for name in older}


async def test_down_by_one_and_up_again_keeps_all_that_the_older_schema_can_hold(
    engine, database_url, bystander
):
    await fill(engine)
    await engine.dispose()
    before = await rows(bystander)

    for _ in VERSIONS:  # one step further down each time, with the rows inside
        in_a_thread(schema.downgrade, database_url, "-1")
        below = await rows(bystander)
        in_a_thread(schema.upgrade, database_url, "+1")
        above = await rows(bystander)
        in_a_thread(schema.downgrade, database_url, "-1")

        assert below == as_held_by(below, before)
        assert as_held_by(below, above) == below
        assert all(above[name] == [] for name in above.keys() - below.keys())
        before = below
    in_a_thread(schema.upgrade, database_url)


async def test_down_to_nothing_and_up_again_is_the_same_schema(database_url):
    before = await fingerprint(database_url)

    in_a_thread(schema.downgrade, database_url, "base")
    emptied = await fingerprint(database_url)
    in_a_thread(schema.upgrade, database_url)

    assert emptied == []
    assert await fingerprint(database_url) == before


async def test_two_upgrades_at_once_do_not_disturb_each_other(empty_database):
    program = f"from persistence.schema import upgrade; upgrade({empty_database.url!r})"
    start = partial(asyncio.create_subprocess_exec, sys.executable, "-c", program)
    upgrades = [await start(cwd=Path(migrations.__file__).parents[1]) for _ in range(3)]

    assert [await upgrade.wait() for upgrade in upgrades] == [0, 0, 0]
    engine = create_engine(empty_database.url)
    await schema.check(engine)
    await engine.dispose()


async def test_an_upgrade_waits_for_the_one_that_is_running(empty_database, bystander_of_empty):
    await bystander_of_empty.execute("SELECT pg_advisory_lock($1)", migrations.ADVISORY_LOCK)
    upgrade = asyncio.create_task(asyncio.to_thread(schema.upgrade, empty_database.url))
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    while not await bystander_of_empty.fetchval(waiting):
        assert not upgrade.done()
        await asyncio.sleep(0.01)

    assert not await bystander_of_empty.fetchval("SELECT to_regclass('alembic_version')")
    await bystander_of_empty.execute("SELECT pg_advisory_unlock_all()")
    await upgrade
    assert await bystander_of_empty.fetchval("SELECT to_regclass('alembic_version')")


class TestCheck:
    async def test_a_migrated_database_passes(self, engine):
        await schema.check(engine)

        assert await schema.current(engine) == schema.head()

    async def test_an_empty_one_is_told_what_to_do(self, empty_database):
        engine = create_engine(empty_database.url)

        with pytest.raises(SchemaNotMigratedError, match=r"is empty.*vigil db upgrade"):
            await schema.check(engine)
        await engine.dispose()

    async def test_an_older_one_is_told_both_revisions(self, engine, database_url):
        in_a_thread(schema.downgrade, database_url, "0003")

        with pytest.raises(SchemaNotMigratedError, match=f"0003, this version needs {schema.head()}"):
            await schema.check(engine)

    async def test_a_newer_one_passes(self, engine, bystander: asyncpg.Connection):
        await bystander.execute("UPDATE alembic_version SET version_num = '9999'")

        await schema.check(engine)


def test_a_url_with_a_percent_sign_reaches_the_database():
    with pytest.raises(OSError):
        in_a_thread(schema.upgrade, "postgresql+asyncpg://vigil:p%25w@127.0.0.1:1/none")


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.stem)
def test_every_migration_limits_how_long_it_makes_others_wait(path):
    functions = {
        node.name: node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)
    }

    assert {name for name in functions if name in ("upgrade", "downgrade")} == {"upgrade", "downgrade"}
    for function in functions.values():
        assert ast.unparse(function.body[0]).startswith("limit_waiting(")


def test_migrations_are_numbered_without_a_gap():
    assert [path.stem[:4] for path in VERSIONS] == [f"{number:04}" for number in range(1, len(VERSIONS) + 1)]


async def test_a_migration_gives_up_soon_when_the_worker_holds_a_table(engine, database_url):
    # The one step that needs the table: whoever holds it is cut off after three seconds, which all steps may take.
    await asyncio.to_thread(schema.downgrade, database_url, "0009")

    async with unit_of_work(engine) as unit:
        await unit.lanes.ensure(1)
        with pytest.raises(Exception, match="lock timeout"):
            await asyncio.to_thread(schema.downgrade, database_url, "0008")


HARMLESS = re.compile(
    r"\s*(SET LOCAL|CREATE (TABLE|(UNIQUE )?INDEX)|COMMENT ON|INSERT INTO|DO \$\$"
    r"|ALTER TABLE \w+\s+(ADD COLUMN|ADD CONSTRAINT|VALIDATE CONSTRAINT|DROP CONSTRAINT|SET \(|ALTER COLUMN \w+ SET (DEFAULT|COMPRESSION)))"
)
WITHOUT_DEFAULT = re.compile(r"ADD COLUMN (?!.*(?:DEFAULT|GENERATED)).*NOT NULL")
FIRST_RELEASED = "0009"  # before it nothing ran that a migration could have disturbed


def statements_of(path):
    """What a migration's upgrade executes."""
    (upgrade,) = [node for node in ast.parse(path.read_text()).body if getattr(node, "name", "") == "upgrade"]
    calls = [node for node in ast.walk(upgrade) if isinstance(node, ast.Call)]
    return [
        ast.literal_eval(call.args[0])
        for call in calls
        if ast.unparse(call.func) == "op.execute" and call.args
    ]


@pytest.mark.parametrize(
    "path", [each for each in VERSIONS if each.stem[:4] >= FIRST_RELEASED], ids=lambda path: path.stem
)
def test_a_migration_only_adds_so_that_the_version_before_still_runs(path):
    statements = statements_of(path)

    assert statements
    assert [each for each in statements if not HARMLESS.match(each) or WITHOUT_DEFAULT.search(each)] == []


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE ticks",
        "ALTER TABLE ticks DROP COLUMN at",
        "ALTER TABLE ticks RENAME COLUMN at TO moment",
        "ALTER TABLE ticks ALTER COLUMN at TYPE text",
        "ALTER TABLE ticks ALTER COLUMN at SET NOT NULL",
        "ALTER TABLE ticks ADD COLUMN more text NOT NULL",
    ],
)
def test_what_the_version_before_would_stumble_over_is_seen(statement):
    assert not HARMLESS.match(statement) or WITHOUT_DEFAULT.search(statement)


@pytest.mark.parametrize("steps", [1, 2])
async def test_a_stranger_who_holds_every_table_delays_an_upgrade_and_an_upgrade_delays_nobody_for_long(
    engine, database_url, bystander, steps
):
    for _ in range(steps):
        await asyncio.to_thread(schema.downgrade, database_url, "-1")
    tables = [
        row[0] for row in await bystander.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    ]
    waits = []
    async with bystander.transaction():
        for table in tables:  # as a backup does
            await bystander.execute(f'LOCK TABLE "{table}" IN ACCESS SHARE MODE')
        upgrading = asyncio.create_task(asyncio.to_thread(schema.upgrade, database_url))
        while not upgrading.done():
            began = asyncio.get_running_loop().time()
            async with unit_of_work(engine) as unit:
                await unit.lanes.ensure(1)
                await unit.progress.next_offsets([("readings", 0)])
            waits.append(asyncio.get_running_loop().time() - began)
            await asyncio.sleep(0.01)
        outcome = (await asyncio.gather(upgrading, return_exceptions=True))[0]

    assert outcome is None or "lock timeout" in str(outcome)
    assert max(waits) < 3
    await asyncio.to_thread(schema.upgrade, database_url)
    assert await schema.current(engine) == schema.head()


@pytest.mark.parametrize("what", ["lock", "statement"])
async def test_a_migration_gives_up_on_a_lock_and_on_a_statement_that_takes_too_long(engine, bystander, what):
    def migrate(connection):
        with Operations.context(MigrationContext.configure(connection)):
            limit_waiting(lock="100ms", statement="200ms")
        statement = "LOCK TABLE lanes" if what == "lock" else "SELECT pg_sleep(5)"
        connection.exec_driver_sql(statement)

    async with bystander.transaction():
        await bystander.execute("LOCK TABLE lanes IN ACCESS SHARE MODE")
        async with engine.connect() as connection:
            with pytest.raises(Exception, match=f"due to {what} timeout"):
                await connection.run_sync(migrate)
