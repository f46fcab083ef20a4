"""A mapping says which column of a recording is which vital sign, in which unit, from which site."""

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from domain.observations import Acquisition
from domain.vital_signs import DEFINITIONS, VitalSign
from worker.replay.errors import MappingError

BUILT_IN = ("bedside", "icu")


class Form(StrEnum):
    """How a recording is laid out."""

    WIDE = "wide"  # a column for each channel, a second row with units
    LONG = "long"  # a row for each value: time, parameter, value


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Derived(_Strict):
    """A second reading that follows from certain values of a channel."""

    vital_sign: VitalSign
    values: Mapping[str, str]  # the recording's value, as a number is written shortest -> the derived one

    def of(self, value: float) -> str | None:
        """What follows from *value*, if anything."""
        return self.values.get(f"{value:g}")


class Channel(_Strict):
    """One column or parameter."""

    vital_sign: VitalSign
    unit: str
    written_as: str | None = None  # the unit as the recording's second row states it
    site: str | None = None
    not_recorded: frozenset[float] = frozenset()  # values that stand for an empty cell
    also: Derived | None = None

    @model_validator(mode="after")
    def _unit_is_one_of_the_sign(self) -> Self:
        accepted = DEFINITIONS[self.vital_sign].units
        if self.unit not in accepted:
            raise ValueError(f"{self.vital_sign} is measured in {', '.join(accepted)}")
        return self


class RecordingMapping(_Strict):
    """How one kind of recording is read."""

    name: str = Field(min_length=1)
    form: Form
    time: str
    parameter: str = ""
    value: str = ""
    acquisition: Acquisition
    device_id: str = Field(min_length=1)
    patient_prefix: str = ""
    descriptors: frozenset[str] = frozenset()
    channels: Mapping[str, Channel] = Field(min_length=1)

    @model_validator(mode="after")
    def _form_has_what_it_needs(self) -> Self:
        if self.form is Form.LONG and not (self.parameter and self.value):
            raise ValueError("a mapping of the long form names its columns: time, parameter, value")
        if self.form is Form.WIDE and any(channel.written_as is None for channel in self.channels.values()):
            raise ValueError("a channel of the wide form says how its unit is written_as in the second row")
        return self

    def fits(self, names: list[str]) -> bool:
        """Whether a recording whose first row holds *names* is of this kind."""
        if self.form is Form.LONG:
            return names == [self.time, self.parameter, self.value]
        return names[:1] == [self.time] and any(name in self.channels for name in names)


@cache
def built_in() -> tuple[RecordingMapping, ...]:
    """The mappings shipped with the package."""
    folder = files("worker.replay") / "mappings"
    return tuple(parsed(f"{name}.toml", (folder / f"{name}.toml").read_bytes()) for name in BUILT_IN)


def load(path: Path) -> RecordingMapping:
    """The mapping in a TOML or JSON file. Raises MappingError."""
    try:
        return parsed(path.name, path.read_bytes())
    except OSError as error:
        raise MappingError(f"{path}: cannot be read: {error.strerror}") from error


def parsed(name: str, content: bytes) -> RecordingMapping:
    """The mapping in *content*, JSON where *name* ends so, else TOML. Raises MappingError."""
    try:
        text = content.decode()
        raw = orjson.loads(text) if name.endswith(".json") else tomllib.loads(text)
        return RecordingMapping.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the mapping"
        raise MappingError(f"{name}: {where}: {first['msg'].removeprefix('Value error, ')}") from error
    except ValueError as error:
        raise MappingError(f"{name}: not {'JSON' if name.endswith('.json') else 'TOML'}: {error}") from error
