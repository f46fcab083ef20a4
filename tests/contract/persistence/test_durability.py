"""A database that may forget what it has committed is noticed."""

from persistence.durability import unsafe_settings
from persistence.engine import create_engine


async def test_a_database_that_keeps_what_it_commits_has_nothing_unsafe(engine):
    assert await unsafe_settings(engine) == []


async def test_a_database_that_commits_before_it_has_written_is_named(database_url, bystander):
    name = await bystander.fetchval("SELECT current_database()")
    await bystander.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    engine = create_engine(database_url)

    assert await unsafe_settings(engine) == ["synchronous_commit"]

    await engine.dispose()
