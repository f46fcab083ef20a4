"""What several commands have in common: how long they wait, and their settings with logging on."""

from typing import Annotated

import typer
from rich.console import Console

from worker.settings import Settings, load_settings

Wait = Annotated[
    float, typer.Option(help="Seconds to wait for broker and database; then exit code 3.", min=0.1, max=3600)
]
WaitForDatabase = Annotated[
    float, typer.Option(help="Seconds to wait for the database; then exit code 3.", min=0.1, max=3600)
]
WAIT_SECONDS = 30.0
WATCH_WAIT_SECONDS = 10.0
CENSUS_SECONDS = 3.0  # who asks whether anybody is watched must not wait for the answer
_NO_LIMIT = 100_000


def console() -> Console:
    """Where a command prints: as wide as the terminal, and in a pipe as wide as it takes, so that nothing is cut."""
    out = Console()
    return out if out.is_terminal else Console(width=_NO_LIMIT)


def settings_with_logging(**overrides: object) -> Settings:
    """Read the settings, and log as they say from now on. Raises SettingsError."""
    from worker.observability.logs import configure_logging  # noqa: PLC0415  `--help` is faster without it

    settings = load_settings(**overrides)
    configure_logging(settings.log_format, settings.log_level)
    return settings
