"""The unit of work: one transaction, and the repositories that write in it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from persistence.alarms import AlarmRepository
from persistence.chart_cache import ChartCache
from persistence.charts import ChartRepository
from persistence.commands import CommandRepository
from persistence.connection import Activity, Timeouts, Transaction, transaction
from persistence.dead_letter_search import DeadLetterSearch
from persistence.dead_letters import DeadLetterRepository
from persistence.devices import DeviceRepository
from persistence.input_pauses import InputPauseRepository
from persistence.installation import InstallationRepository
from persistence.lanes import LaneRepository
from persistence.outbox import OutboxRepository
from persistence.progress import ProgressRepository
from persistence.readings import ReadingRepository
from persistence.repairs import RepairRepository
from persistence.replays import ReplayRepository
from persistence.ticks import TickRepository
from persistence.wards import WardRepository
from persistence.watching import WatchRepository

_DEFAULT_TIMEOUTS = Timeouts()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitOfWork:
    """The repositories of one transaction, in the order in which their rows are locked."""

    progress: ProgressRepository
    input_pauses: InputPauseRepository
    charts: ChartRepository
    wards: WardRepository
    devices: DeviceRepository
    readings: ReadingRepository
    commands: CommandRepository
    ticks: TickRepository
    alarms: AlarmRepository
    dead_letters: DeadLetterRepository
    lanes: LaneRepository
    outbox: OutboxRepository
    repairs: RepairRepository
    installation: InstallationRepository
    dead_letter_search: DeadLetterSearch
    replays: ReplayRepository
    activity: Activity
    watching: WatchRepository


@asynccontextmanager
async def unit_of_work(
    engine: AsyncEngine, *, chart_cache: ChartCache | None = None, timeouts: Timeouts = _DEFAULT_TIMEOUTS
) -> AsyncIterator[UnitOfWork]:
    """Commit if the block finishes; roll back if it raises.

    *chart_cache* spares reading charts that nobody else has changed; it learns of this transaction's
    charts only once they are committed.
    """
    try:
        async with transaction(engine, timeouts) as began:
            work = _on(began, chart_cache)
            yield work
    except asyncpg.PostgresError as error:
        error.detail = None  # "Failing row contains (…)": a patient's values, on their way into a log
        raise
    work.charts.remember()


def _on(began: Transaction, chart_cache: ChartCache | None) -> UnitOfWork:
    connection = began.connection
    return UnitOfWork(
        progress=ProgressRepository(connection),
        input_pauses=InputPauseRepository(connection),
        charts=ChartRepository(began, chart_cache),
        wards=WardRepository(connection),
        devices=DeviceRepository(connection),
        readings=ReadingRepository(connection),
        commands=CommandRepository(connection),
        ticks=TickRepository(connection),
        alarms=AlarmRepository(connection),
        dead_letters=DeadLetterRepository(connection),
        lanes=LaneRepository(connection),
        outbox=OutboxRepository(connection),
        repairs=RepairRepository(connection),
        installation=InstallationRepository(connection),
        dead_letter_search=DeadLetterSearch(connection),
        replays=ReplayRepository(connection),
        activity=Activity(connection),
        watching=WatchRepository(began),
    )
