"""What `vigil audit` does and tells; connections are waited for, and closed again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from persistence.audit import TimeRange
from worker.audit.findings import Account, Advance
from worker.audit.running import Audit, run_audit
from worker.cli_options import console
from worker.errors import OperatorError
from worker.lane_commands import at_lanes
from worker.settings import Settings

_LAST = timedelta(hours=24)
_MOST_LISTED = 50


async def audit(
    settings: Settings, wait: float, *, time_range: TimeRange, copy: Path | None, is_shown: bool
) -> Account:
    """Compare what is stored with what came in and what was published."""
    async with at_lanes(settings, wait) as (place, lanes):
        with _bar(is_shown=is_shown) as expect:
            asked = Audit(place=place, lanes=lanes, time_range=time_range, copy=copy)
            return await run_audit(asked, expect)


def range_of(since: datetime | None, until: datetime | None, now: datetime) -> TimeRange:
    """The time to look at. Raises OperatorError if there is none."""
    begins = since or (until or now) - _LAST
    ends = until or now
    if begins >= ends or ends > now:
        raise OperatorError(
            f"from {_told(begins)} until {_told(ends)} is no time that has passed: --since must lie before --until, "
            f"and neither in the future (it is {_told(now)}, UTC)"
        )
    # By the millisecond, as the log counts; an open end leaves room for a database whose clock is ahead.
    if until is None:
        return TimeRange(_whole(begins), _whole(now + timedelta(days=1)), is_open=True)
    return TimeRange(_whole(begins), _whole(ends), is_open=False)


def tell(account: Account, time_range: TimeRange, now: datetime) -> None:
    """Print the verdict, what it rests on, and where to look."""
    out = console()
    until = now if time_range.is_open else time_range.until
    out.print(f"{_told(time_range.since)} to {_told(until)}: ", end="", highlight=False)
    for line in account.told():
        out.print(line, style=None if account.is_whole else "bold", highlight=False)
    if not account.findings:
        return
    table = Table("what", "", "where", box=None)
    for each in account.findings[:_MOST_LISTED]:
        table.add_row(each.subject, each.trouble, each.where)
    out.print(table)
    if (more := account.wrong.total() - _MOST_LISTED) > 0:
        out.print(f"… and {more:,} more; --json lists up to a thousand of each kind")


def tell_as_json(account: Account, time_range: TimeRange, now: datetime) -> None:
    """Print the same for programs."""
    until = now if time_range.is_open else time_range.until
    typer.echo(orjson.dumps(_as_json(account) | {"since": time_range.since, "until": until}).decode())


def _as_json(account: Account) -> dict[str, Any]:
    return {
        "whole": account.is_whole,
        "compared": {str(subject): count for subject, count in account.compared.items()},
        "wrong": [
            {"what": str(subject), "how": str(trouble), "count": count}
            for (subject, trouble), count in sorted(account.wrong.items())
        ],
        "findings": [
            {"what": str(each.subject), "how": str(each.trouble), "where": each.where}
            for each in account.findings
        ],
        "under_way": {"not_taken_in": account.not_taken_in, "not_published": account.not_published},
        "remarks": account.remarks,
    }


@contextmanager
def _bar(*, is_shown: bool) -> Iterator[Callable[[int], Advance]]:
    """A bar on the terminal; on anything else than a terminal it stays silent."""
    err = Console(stderr=True)
    columns = (TextColumn("comparing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not (is_shown and err.is_terminal)) as shown:

        def expect(total: int) -> Advance:
            task = shown.add_task("", total=total)
            return lambda count: shown.advance(task, count)

        yield expect


def _whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _told(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
