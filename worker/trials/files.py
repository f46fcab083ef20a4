"""A TOML file of trials: a name, how the values were taken, and what happens."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.observations import Acquisition
from worker.trials.language import Moment, TrialError, moments_of

_KEYS = {"name", "acquisition", "steps"}


@dataclass(frozen=True, slots=True)
class Trial:
    """One patient's short story with its expected alerts."""

    name: str
    acquisition: Acquisition
    moments: tuple[Moment, ...]


def trials_in(path: Path) -> list[Trial]:
    """Read the trials of a file. Raises TrialError naming file, trial and line."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TrialError(f"{path} is no readable TOML file: {error}") from None
    tables = document.get("trial")
    if not isinstance(tables, list) or not tables or document.keys() != {"trial"}:
        raise TrialError(f"{path} must hold nothing but one or more [[trial]] with name and steps")
    return [_trial(f"{path}, trial {number}", table) for number, table in enumerate(tables, 1)]


def _trial(place: str, table: Mapping[str, Any]) -> Trial:
    if unknown := sorted(table.keys() - _KEYS):
        raise TrialError(f"{place}: {unknown[0]} is not known; known are {', '.join(sorted(_KEYS))}")
    name, steps = table.get("name"), table.get("steps")
    if not isinstance(name, str) or not isinstance(steps, str):
        raise TrialError(f"{place}: name and steps must be texts")
    words = [each.value for each in Acquisition]
    if (acquisition := table.get("acquisition", Acquisition.CONTINUOUS.value)) not in words:
        raise TrialError(f"{place}: acquisition is {acquisition!r}; wanted is one of {', '.join(words)}")
    try:
        moments = tuple(moments_of(steps))
    except TrialError as error:
        raise TrialError(f"{place} ({name}), {error}") from None
    if not moments:
        raise TrialError(f"{place} ({name}): steps must have at least one line such as `at 0: spo2 97`")
    return Trial(name, Acquisition(acquisition), moments)
