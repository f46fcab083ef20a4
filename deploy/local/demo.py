"""`python -m deploy.local.demo`: from nothing to a live ward with alerts, and an account of it all."""

import asyncio
import os
import secrets
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from multiprocessing import get_context
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from deploy.local.accounts import Accounts, Installation, balance, is_at_rest
from deploy.local.errors import LocalServiceError
from deploy.local.finding import local_services
from deploy.local.listening import Listener
from deploy.local.processes import LOOPBACK, free_port
from deploy.local.services import Database, Services
from deploy.local.vigil import vigil, wait_until, worker
from deploy.local.workspace import Workspace
from domain.times import to_ms
from worker.feed.pacing import Pace
from worker.feed.progress import Progress
from worker.feed.tally import Tally
from worker.settings import Settings
from worker.simulation.running import Simulation, simulate
from worker.watch import watch

REST_SECONDS = 60.0
_BEDS = 12
_INTERRUPTED = 130

console = Console(highlight=False)


def main(
    seconds: Annotated[
        float | None, typer.Option(min=1, help="End after so many seconds; else at Ctrl-C.")
    ] = None,
    beds: Annotated[int, typer.Option(min=1, max=500, help="Beds in the simulated ward.")] = _BEDS,
    seed: Annotated[int, typer.Option(help="The same seed tells the same stories.")] = 1,
) -> None:
    """Start everything, show the ward, account for every reading, end everything."""
    _end_in_order()
    try:
        is_accounted_for = _run(seconds, beds, seed)
    except LocalServiceError as error:
        console.print(f"vigil: {error}", style="red", markup=False)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(_INTERRUPTED) from None
    raise typer.Exit(0 if is_accounted_for else 1)


def _run(seconds: float | None, beds: int, seed: int) -> bool:
    began = time.monotonic()
    with ExitStack() as stack:
        _say("starting Kafka and PostgreSQL")
        services = stack.enter_context(local_services())
        installation, settings = _installed(services, stack.enter_context(services.postgres.database()))
        workspace = stack.enter_context(Workspace())
        _say("starting the worker")
        stack.enter_context(worker(workspace, f"{_address(settings)}/health/ready"))
        _say(f"ready after {time.monotonic() - began:.0f} s")
        addresses = _addresses(settings)
        for line in addresses:
            _say(line)
        listener = Listener(installation, say=_quiet if console.is_terminal else _print)
        with listener:
            tally = _show_ward(settings, addresses, seconds, beds, seed)
            _wait_for_rest(installation)
        accounts = balance(installation)
        _print_summary(accounts, tally, listener)
        _say("ending the worker, Kafka and PostgreSQL")
    return not _wrong(accounts, tally)


def _installed(services: Services, database: Database) -> tuple[Installation, Settings]:
    """Topics and tables of a new Vigil; its settings stand in the environment for whoever is started next."""
    prefix = f"demo-{secrets.token_hex(3)}."
    os.environ |= {
        "VIGIL_KAFKA_BOOTSTRAP_SERVERS": services.kafka.bootstrap_servers,
        "VIGIL_DATABASE_URL": database.url,
        "VIGIL_TOPIC_PREFIX": prefix,
        "VIGIL_GROUP": f"{prefix}vigil",
        "VIGIL_HTTP_PORT": str(free_port()),
        "VIGIL_LOG_FORMAT": "json",
    }
    _say("making tables and topics")
    vigil("db", "upgrade")
    vigil("topics", "create")
    installation = Installation(
        bootstrap_servers=services.kafka.bootstrap_servers,
        dsn=database.dsn,
        topic_prefix=prefix,
        group=f"{prefix}vigil",
    )
    return installation, Settings()


def _addresses(settings: Settings) -> list[str]:
    base = _address(settings)
    pages = (("metrics", "/metrics"), ("health", "/health/ready"), ("AsyncAPI", "/asyncapi"))
    kafka = f"Kafka {settings.kafka_bootstrap_servers}, topics begin with {settings.topic_prefix}"
    return [*(f"{name} {base}{path}" for name, path in pages), kafka]


def _address(settings: Settings) -> str:
    return f"http://{LOOPBACK}:{settings.http_port}"


def _show_ward(
    settings: Settings, addresses: Sequence[str], seconds: float | None, beds: int, seed: int
) -> Tally:
    until = "until Ctrl-C" if seconds is None else f"for {seconds:g} s"
    _say(f"a ward of {beds} beds {until}; a monitor each, a set a second; its alerts are demo alerts")
    simulation = Simulation(start_ms=to_ms(datetime.now(UTC)), beds=beds, seed=seed, seconds=seconds)
    with _ward_view(settings, addresses):
        tally = asyncio.run(_simulated(simulation, settings, seconds))
    _end_in_order()  # the loop took its own handlers away
    return tally


async def _simulated(simulation: Simulation, settings: Settings, seconds: float | None) -> Tally:
    pace = Pace(speed_up=1.0, seconds=seconds)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, pace.stop.set)
    silent = Progress("", console=Console(file=sys.stderr, force_terminal=False))
    return await simulate(simulation, settings, pace, silent)


@contextmanager
def _ward_view(settings: Settings, notes: Sequence[str]) -> Iterator[None]:
    """The live view where there is a terminal to show it; it ends before the summary is printed.

    It is what `vigil watch` shows, in a process of its own too, with *notes* below it.
    """
    if not console.is_terminal:
        yield
        return
    view = get_context("spawn").Process(target=watch, args=(settings,), kwargs={"notes": notes}, daemon=True)
    view.start()
    try:
        yield
    finally:
        if view.pid is not None and view.is_alive():
            os.kill(view.pid, signal.SIGINT)
        view.join()


def _wait_for_rest(installation: Installation) -> None:
    """Until all that was sent has been taken in and answered, and those who read had time to read it."""
    _say("waiting until everything has been taken in and published")
    if not wait_until(lambda: is_at_rest(installation), REST_SECONDS):
        _say(f"the worker has not come to rest within {REST_SECONDS:g} s")
    time.sleep(0.5)


def _print_summary(accounts: Accounts, tally: Tally, listener: Listener) -> None:
    table = Table(title="What became of it all", show_header=False)
    rows = [
        ("observation sets sent", accounts.sets),
        ("readings in", accounts.sent),
        ("readings stored", accounts.stored),
        ("readings rejected", accounts.rejected),
        ("readings that were duplicates", accounts.duplicates),
        *((f"alerts, {priority}", accounts.alerts[priority]) for priority in ("high", "medium", "low")),
    ]
    for name, number in rows:
        table.add_row(name, f"{number:,}")
    for name, share in (("p50", 0.50), ("p99", 0.99)):
        seconds = listener.percentile(share)
        table.add_row(
            f"reading received to alert read, {name}", "-" if seconds is None else f"{seconds * 1000:.0f} ms"
        )
    console.print(table)
    wrong = _wrong(accounts, tally)
    for each in wrong:
        console.print(f"not accounted for: {each}", style="red")
    if not wrong:
        console.print("all accounted for: simulator, topics and database say the same")


def _wrong(accounts: Accounts, tally: Tally) -> list[str]:
    """What does not add up, the sender's own count included."""
    wrong = list(accounts.wrong)
    for what, told, found in (
        ("sets", tally.sets, accounts.sets),
        ("readings", tally.readings_sent, accounts.sent),
        ("commands", tally.commands, accounts.commands),
        ("readings", accounts.sent, accounts.stored + accounts.rejected + accounts.duplicates),
    ):
        if told != found:
            wrong.append(f"{what}: {told} sent, {found} found")
    return wrong


def _end_in_order() -> None:
    """Let SIGTERM and a closed terminal do what Ctrl-C does."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _print(text: str) -> None:
    console.print(text, markup=False, soft_wrap=True)


def _quiet(_: str) -> None:
    """Say nothing: the live view shows it."""


def _say(text: str) -> None:
    _print(f"vigil: {text}")


if __name__ == "__main__":
    typer.run(main)
