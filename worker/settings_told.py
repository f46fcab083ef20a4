"""The settings in force, told to a person: by `vigil check-config`, and what is misspelt by `vigil run` too."""

import structlog
import typer

from worker.settings import Settings, effective, unknown_variables

_REMARK = "is not a setting; is it misspelt?"


def tell_settings(settings: Settings) -> None:
    """Print a line for each setting; the value stands last and is never cut, so that it can be copied whole."""
    rows = [
        ("setting", "from", "value"),
        *((name, origin, value) for name, value, origin in effective(settings)),
    ]
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    for name, origin, value in rows:
        line = f"{name:{first}}  {origin:{second}}  {value}".rstrip()
        typer.secho(line, bold=origin not in ("default", "from"))


def tell_misspelt() -> None:
    """Print every variable that begins like a setting and is none."""
    for name in unknown_variables():
        typer.echo(f"vigil: {name} {_REMARK}", err=True)


def log_misspelt() -> None:
    """Log every variable that begins like a setting and is none."""
    for name in unknown_variables():
        structlog.get_logger(__name__).warning("setting_unknown", setting=name, remark=_REMARK)
