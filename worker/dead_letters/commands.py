"""What `vigil dead-letters replay` does, from what was asked for to what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy.ext.asyncio import AsyncEngine

from persistence.dead_letter_search import DeadLetterFilter, FoundLetter
from persistence.replays import OpenReplay
from persistence.unit_of_work import unit_of_work
from worker import startup
from worker.connections import client_arguments
from worker.dead_letters.planning import Plan
from worker.dead_letters.reading import at_database, records
from worker.dead_letters.replaying import Progress, Replay, stored_at
from worker.dead_letters.selection import text_of
from worker.dead_letters.sources import RepairedFile, stored
from worker.errors import OperatorError
from worker.settings import Settings
from worker.startup import Patience
from worker.topics import TopicNames, describe_topics

_AT_ONCE = 500
_LARGEST = "max.message.bytes"
_LARGEST_BY_DEFAULT = 1_048_588

Wanted: TypeAlias = DeadLetterFilter | RepairedFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a replay is to go about it."""

    most_rounds: int
    rate: float
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a replay came to."""

    plan: Plan
    sent: int
    too_large: int


async def plan_replay(settings: Settings, wait: float, wanted: Wanted, manner: Manner) -> Plan:
    """Return what a replay of *wanted* would send; nothing is changed."""
    async with at_database(settings, wait) as engine:
        return await _plan(engine, wanted, manner)


async def abandon(settings: Settings, wait: float) -> int:
    """Forget what an unfinished replay has not sent; returns how many records."""
    async with at_database(settings, wait) as engine, unit_of_work(engine) as work:
        return await work.replays.abandon()


async def replay(  # noqa: PLR0913, PLR0917  what was asked for, and who is told of it
    settings: Settings,
    wait: float,
    wanted: Wanted | None,
    manner: Manner,
    begun: Progress,
    progress: Progress,
) -> Report:
    """Send *wanted* again, or go on with what was not finished; *begun* is told how many records there are.

    Raises OperatorError where something else was not finished, UnreachableError where it is cut off.
    """
    async with (
        at_database(settings, wait) as engine,
        startup.connected_admin(settings, Patience(wait)) as admin,
    ):
        names = TopicNames(settings.topic_prefix)
        await startup.check_broker(admin, names, await startup.lanes_begun(engine))
        states = await describe_topics(admin, names)
        plan, count = await _ask(engine, wanted, manner)
        begun(count)
        replaying = Replay(
            engine=engine,
            connection=client_arguments(settings),
            source=wanted.content_of if isinstance(wanted, RepairedFile) else stored,
            largest={
                topic: int(states[topic].config.get(_LARGEST, _LARGEST_BY_DEFAULT)) for topic in names.inputs
            },
            rate=manner.rate,
            progress=progress,
        )
        await replaying.run()
    return Report(plan=plan, sent=replaying.sent, too_large=replaying.too_large)


def selection_of(wanted: Wanted) -> str:
    """By what a replay is known again that was not finished."""
    return f"file {wanted.digest}" if isinstance(wanted, RepairedFile) else text_of(wanted)


async def _ask(engine: AsyncEngine, wanted: Wanted | None, manner: Manner) -> tuple[Plan, int]:
    """Note what is to be sent, unless that was done before; returns the plan and how many records are noted."""
    async with unit_of_work(engine) as work:
        left = next(iter(await work.replays.unfinished()), None)
    if left is not None:
        _check_same(left, wanted)
        return Plan(manner.most_rounds), left.records
    if wanted is None:
        raise OperatorError(
            "say what to replay: a filter such as --reason, --from FILE, or --all; see `vigil dead-letters list`"
        )
    plan = await _plan(engine, wanted, manner)
    async with unit_of_work(engine) as work:
        count = await work.replays.ask(selection_of(wanted), plan.places, again=manner.again)
    return plan, count


def _check_same(left: OpenReplay, wanted: Wanted | None) -> None:
    is_file = left.selection.startswith("file ")
    if (wanted is None and not is_file) or (wanted is not None and selection_of(wanted) == left.selection):
        return
    go_on = "the file it was begun with" if is_file else "no filter"
    raise OperatorError(
        f"a replay begun at {left.asked_at.astimezone():%Y-%m-%d %H:%M} ({left.selection}) has records left: "
        f"{left.records}; go on with it (`vigil dead-letters replay` with {go_on}), or forget it with --abandon"
    )


async def _plan(engine: AsyncEngine, wanted: Wanted, manner: Manner) -> Plan:
    plan = Plan(manner.most_rounds, manner.again)
    if isinstance(wanted, RepairedFile):
        for start in range(0, len(wanted.places), _AT_ONCE):
            places = wanted.places[start : start + _AT_ONCE]
            _take(plan, list((await stored_at(engine, places)).values()), wanted)
        return plan
    async for letters in records(engine, wanted, with_bytes=False):
        plan.take(letters, letters[0].headers)
    return plan


def _take(plan: Plan, letters: Sequence[FoundLetter], file: RepairedFile) -> None:
    for letter in letters:
        plan.take([letter], file.content_of(letter).headers)
