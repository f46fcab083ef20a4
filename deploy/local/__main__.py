"""`python -m deploy.local`: bring up Kafka and PostgreSQL by hand."""

import shlex
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from deploy.local.errors import LocalServiceError
from deploy.local.external import KAFKA_VARIABLE, POSTGRES_VARIABLE
from deploy.local.finding import CONTROLLABLE, local_services, say_to_terminal
from deploy.local.kafka_distribution import jars
from deploy.local.services import Services

app = typer.Typer(
    help="A real Kafka and a real PostgreSQL on this machine, for as long as this command runs.",
    no_args_is_help=True,
    add_completion=False,
)
console = Console()
_MISTAKE = 2


@app.command()
def up(
    *,
    kafka: Annotated[bool, typer.Option(help="Bring up Kafka.")] = True,
    postgres: Annotated[bool, typer.Option(help="Bring up PostgreSQL.")] = True,
) -> None:
    """Bring both up, tell their addresses, and end them at Ctrl-C."""
    ours = local_services(kafka=kafka, postgres=postgres, places=CONTROLLABLE)
    with _told_in_one_line(), _until_told_to_stop(), ours as services:
        _show(services)
        signal.pause()


@app.command()
def fetch() -> None:
    """Fetch Kafka now, so that the first start needs no network."""
    with _told_in_one_line():
        console.print(f"Kafka is in {jars(say_to_terminal)}")


def _show(services: Services) -> None:
    if kafka := services.requested_kafka:
        _export(KAFKA_VARIABLE, kafka.bootstrap_servers)
        _export("VIGIL_KAFKA_BOOTSTRAP_SERVERS", kafka.bootstrap_servers)
    if postgres := services.requested_postgres:
        _export(POSTGRES_VARIABLE, postgres.dsn)
        _export("VIGIL_DATABASE_URL", postgres.create_database("vigil").url)
    console.print("Ctrl-C ends them; their data go with them.", style="dim")


def _export(variable: str, value: str) -> None:
    console.print(f"export {variable}={shlex.quote(value)}", soft_wrap=True, highlight=False)


@contextmanager
def _told_in_one_line() -> Iterator[None]:
    try:
        yield
    except LocalServiceError as error:
        Console(stderr=True).print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(_MISTAKE) from None


@contextmanager
def _until_told_to_stop() -> Iterator[None]:
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    except KeyboardInterrupt:
        console.print("ended")


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    app()
