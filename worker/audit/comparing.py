"""What both sides of an audit share: where, which time, how things stood when it began, and what it has come to."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from persistence.audit import Opening, TimeRange
from worker.audit.findings import Account
from worker.lane_standing import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparing:
    """An audit under way."""

    place: Place
    time_range: TimeRange
    published: Mapping[int, int]  # the number last published in each lane
    opening: Opening
    account: Account = field(default_factory=Account)

    @property
    def lanes(self) -> int:
        """How many there are."""
        return len(self.published)
