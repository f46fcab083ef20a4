"""What a feed has sent, counted as it was acknowledged."""

from collections import Counter
from dataclasses import dataclass, field

from worker.feed.records import FeedRecord, Inlet


@dataclass(slots=True)
class Tally:
    """How many records and readings went out; readings by vital sign, records by input topic."""

    sets: int = 0
    commands: int = 0
    readings: Counter[str] = field(default_factory=Counter)

    def count(self, record: FeedRecord) -> None:
        """Add *record*."""
        if record.inlet is Inlet.COMMANDS:
            self.commands += 1
            return
        self.sets += 1
        self.readings.update(reading["vital_sign"] for reading in record.readings)

    @property
    def readings_sent(self) -> int:
        """All readings, whatever the sign."""
        return self.readings.total()
