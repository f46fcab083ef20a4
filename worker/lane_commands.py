"""What `vigil lanes` does and tells; connections are waited for, and closed again."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from rich.table import Table

from worker import startup
from worker.cli_options import console
from worker.connections import client_arguments
from worker.errors import OperatorError
from worker.lane_repair import Repaired, connected_client, repair_lane
from worker.lane_standing import LaneStanding, Place, standing_of
from worker.settings import Settings
from worker.startup import Patience
from worker.topics import TopicNames

_MOST_LISTED = 50


async def standings(settings: Settings, wait: float) -> list[LaneStanding]:
    """How each lane stands, in order."""
    async with at_lanes(settings, wait) as (place, lanes), connected_client(place) as client:
        return [await standing_of(place, client, lane) for lane in range(lanes)]


async def repair_one(
    settings: Settings, wait: float, lane: int, *, since: datetime | None, is_dry_run: bool
) -> Repaired | None:
    """Repair *lane*; None if it needs no repair. Raises OperatorError if there is no such lane."""
    async with at_lanes(settings, wait) as (place, lanes):
        if lane >= lanes:
            raise OperatorError(
                f"there is no lane {lane}: the topics have {lanes} partitions, 0 to {lanes - 1}"
            )
        return await repair_lane(place, lane, since=since, is_dry_run=is_dry_run)


@asynccontextmanager
async def at_lanes(settings: Settings, wait: float) -> AsyncIterator[tuple[Place, int]]:
    """Lend the place where the lanes are, and their number. Raises OperatorError or UnreachableError."""
    names = TopicNames(settings.topic_prefix)
    async with startup.connected_database(settings, Patience(wait)) as engine:
        await startup.check_database(engine, settings)
        begun = await startup.lanes_begun(engine)
        async with startup.connected_admin(settings, Patience(wait)) as admin:
            lanes = (await startup.check_broker(admin, names, begun)).lanes
        await startup.ensure_lanes(engine, lanes)
        connection = client_arguments(settings)
        yield Place(engine=engine, names=names, group=settings.group, connection=connection), lanes


def tell_standings(found: Sequence[LaneStanding]) -> None:
    """Print a row for each lane."""
    table = Table("lane", "epoch", "last_seq", "cursor", "backlog", "state", box=None)
    for each in found:
        cursor = "none" if each.cursor is None else each.cursor.seq
        numbers = (each.lane, each.epoch, each.last_seq, cursor, each.waiting)
        table.add_row(
            *[str(number) for number in numbers], each.finding, style=None if each.is_sound else "bold red"
        )
    console().print(table)


def tell_repaired(repaired: Repaired, *, is_dry_run: bool) -> None:
    """Print what was found and done, or would be."""
    plan, before = repaired.plan, repaired.before
    out = console()
    table = Table("", f"lane {before.lane}", box=None)
    table.add_row("it was", before.finding)
    table.add_row("records that are out", str(repaired.out))
    table.add_row("numbered anew, to be published", str(len(plan.waiting)))
    table.add_row("the cursor", f"{'would be' if is_dry_run else 'is'} at {plan.marker}, a marker")
    table.add_row("out, but not in the stored history", str(len(plan.unexplained)))
    out.print(table)
    if plan.unexplained:
        _tell_unexplained(repaired)
    if is_dry_run:
        out.print("Nothing was changed.")


def _tell_unexplained(repaired: Repaired) -> None:
    """List what is out and not stored; ids and numbers only, nothing of a patient."""
    table = Table("number", "topic", "id", "published", box=None)
    for each in repaired.plan.unexplained[:_MOST_LISTED]:
        table.add_row(
            str(each.seq), each.topic, str(each.record_id), f"{each.published_at:%Y-%m-%dT%H:%M:%SZ}"
        )
    out = console()
    out.print(table)
    left = len(repaired.plan.unexplained) - _MOST_LISTED
    out.print(
        (f"… and {left} more. " if left > 0 else "")
        + "Readings that are still to be taken in may yet lead to these; they will not go out a second time. "
        "What no reading leads to was said to pagers of a history that is gone: see to those patients."
    )
