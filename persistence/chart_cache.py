"""Charts as this process last saw them; each is used only if the locked row says that it is still the same."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import orjson

from domain.chart import Chart, Track
from domain.observations import Mode
from domain.vital_signs import VitalSign


class ChartKey(NamedTuple):
    """Whose chart, and for which data."""

    patient_id: str
    mode: Mode


class Stamp(NamedTuple):
    """What tells one state of a chart's row from every other.

    The number alone would do, were it not for a database restored from a backup, in which the same
    number is given again to something else; the time of writing is then another.
    """

    chart_id: int
    chart_seq: int
    updated_at: datetime


WrittenTracks = Mapping[VitalSign, tuple[Track, orjson.Fragment]]
"""How tracks were written last. A chart shares those that did not change with the chart it came from."""


@dataclass(frozen=True, slots=True)
class Held:
    """A chart as its row was when it bore this stamp."""

    stamp: Stamp
    chart: Chart
    written: WrittenTracks = field(default_factory=dict)


class ChartCache:
    """At most *capacity* charts, those used longest ago forgotten first.

    Nothing here would be missed: a kill, or an empty cache, costs one read of the chart.
    """

    def __init__(self, capacity: int = 5_000) -> None:
        self._capacity = capacity
        self._charts: OrderedDict[ChartKey, Held] = OrderedDict()

    def __len__(self) -> int:
        """Return the number of charts held."""
        return len(self._charts)

    def __contains__(self, key: ChartKey) -> bool:
        """Return whether the chart of *key* has been seen, in whatever state."""
        return key in self._charts

    def get(self, key: ChartKey, stamp: Stamp) -> Held | None:
        """Return the chart of *key* if it is still what *stamp* says."""
        held = self._charts.get(key)
        if held is None or held.stamp != stamp:
            return None
        return held

    def put(self, charts: Mapping[ChartKey, Held]) -> None:
        """Remember *charts*, which are committed."""
        for key, held in charts.items():
            self._charts[key] = held
            self._charts.move_to_end(key)
        while len(self._charts) > self._capacity:
            self._charts.popitem(last=False)
