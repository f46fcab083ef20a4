"""Charts as this process last saw them; each is used only if the locked row says that it is still the same."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from domain.chart import Chart
from domain.observations import Mode


@dataclass(frozen=True, slots=True)
class ChartKey:
    """Whose chart, and for which data."""

    patient_id: str
    mode: Mode


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells one state of a chart's row from every other.

    The number alone would do, were it not for a database restored from a backup, in which the same
    number is given again to something else; the time of writing is then another.
    """

    chart_id: int
    chart_seq: int
    updated_at: datetime


class ChartCache:
    """At most *capacity* charts, those used longest ago forgotten first.

    Nothing here would be missed: a kill, or an empty cache, costs one read of the chart.
    """

    def __init__(self, capacity: int = 5_000) -> None:
        self._capacity = capacity
        self._charts: OrderedDict[ChartKey, tuple[Stamp, Chart]] = OrderedDict()

    def __len__(self) -> int:
        """Return the number of charts held."""
        return len(self._charts)

    def get(self, key: ChartKey, stamp: Stamp) -> Chart | None:
        """Return the chart of *key* if it is still what *stamp* says."""
        held = self._charts.get(key)
        if held is None or held[0] != stamp:
            return None
        self._charts.move_to_end(key)
        return held[1]

    def put(self, charts: Mapping[ChartKey, tuple[Stamp, Chart]]) -> None:
        """Remember *charts*, which are committed."""
        for key, stamped in charts.items():
            self._charts[key] = stamped
            self._charts.move_to_end(key)
        while len(self._charts) > self._capacity:
            self._charts.popitem(last=False)
