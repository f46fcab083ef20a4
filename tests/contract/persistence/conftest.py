"""Units of work on a real database of the test's own."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from persistence.engine import create_engine
from persistence.unit_of_work import UnitOfWork, unit_of_work


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
def work(engine: AsyncEngine) -> Callable[..., AbstractAsyncContextManager[UnitOfWork]]:
    """Begins a unit of work."""
    return partial(unit_of_work, engine)


@pytest.fixture
async def bystander(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A plain connection that sees what is committed and nothing else."""
    connection = await asyncpg.connect(database_url.replace("postgresql+asyncpg://", "postgresql://"))
    yield connection
    await connection.close()
