"""A replay as the operator sees it: what it will send, a bar while it does, what came of it."""

import asyncio
from contextlib import ExitStack
from pathlib import Path

import typer

from persistence.dead_letter_search import DeadLetterFilter
from worker.cli_options import console
from worker.dead_letters import commands, telling
from worker.dead_letters.commands import Manner, Report, Wanted
from worker.dead_letters.planning import Plan
from worker.dead_letters.sources import open_repaired
from worker.errors import OperatorError
from worker.feed.progress import Progress
from worker.settings import Settings


def run(  # noqa: PLR0913  what was asked for
    settings: Settings,
    wait: float,
    wanted: DeadLetterFilter | None,
    source: Path | None,
    manner: Manner,
    *,
    is_dry_run: bool,
) -> bool:
    """Replay, or only tell; returns whether nothing had to be left out that a person must look at."""
    with ExitStack() as stack:
        chosen: Wanted | None = wanted if source is None else stack.enter_context(open_repaired(source))
        if is_dry_run:
            plan = asyncio.run(commands.plan_replay(settings, wait, chosen or DeadLetterFilter(), manner))
            _tell_plan(plan)
            return not plan.too_often
        report = _replay(settings, wait, chosen, manner)
    typer.echo(f"sent: {report.sent:,}")
    for line in telling.left_out(report.plan, report.too_large):
        typer.echo(line)
    return not (report.plan.too_often or report.too_large)


def forget(settings: Settings, wait: float) -> None:
    """Forget what an unfinished replay has not sent. Raises OperatorError if there is none."""
    count = asyncio.run(commands.abandon(settings, wait))
    if not count:
        raise OperatorError("there is no unfinished replay to forget")
    typer.echo(f"forgotten, to be chosen anew if need be: {count:,}")


def _replay(settings: Settings, wait: float, wanted: Wanted | None, manner: Manner) -> Report:
    progress = Progress("replaying")
    with progress:
        return asyncio.run(
            commands.replay(settings, wait, wanted, manner, progress.expect, progress.advance_by)
        )


def _tell_plan(plan: Plan) -> None:
    out = console()
    out.print(telling.histogram_of(plan))
    out.print(f"would be sent: {len(plan.places):,}; nothing was")
    for line in telling.left_out(plan):
        out.print(line)
