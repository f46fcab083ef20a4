"""Where work goes on in a partition: decided from what the database holds, never from the group's offsets."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from worker.errors import OperatorError
from worker.messages.records import Record

_ANY_NUMBER = 2**31


@dataclass(slots=True)
class Position:
    """How far one partition has been worked through.

    *stored* is what the database holds (None: no row yet), *expected* the offset at which the next batch
    must begin, *suspect* the offset at which one began beyond it, *received_ms* when the last handled
    record came.
    """

    stored: int | None
    expected: int
    suspect: int | None = None
    received_ms: int | None = None


class Fit(Enum):
    """How a batch that begins at some offset fits a position."""

    FITS = auto()
    ASK_AGAIN = auto()  # it leaves a gap: fetch once more from where it should begin
    GAP = auto()  # it left the same gap twice: what was there is gone from the log


def fit(position: Position, first_offset: int) -> Fit:
    """Whether a batch that begins at *first_offset*, not below what is expected, may be handled.

    A gap is believed only when a second fetch shows the same one: a fetch that began elsewhere (a seek
    that came too late, a record the client dropped) must not be taken for records that no longer exist.
    """
    if first_offset == position.expected:
        return Fit.FITS
    return Fit.GAP if position.suspect == first_offset else Fit.ASK_AGAIN


def not_yet_handled(position: Position, records: Sequence[Record]) -> Sequence[Record]:
    """*records* of one partition, in log order, without those that were handled before."""
    if records[0].offset >= position.expected:
        return records
    return [record for record in records if record.offset >= position.expected]


def age_seconds(position: Position | None, end: int | None, now_ms: float) -> float | None:
    """How far work on a partition that ends at *end* is behind: 0 where nothing waits, None where it cannot be told."""
    if position is None or end is None:
        return None
    if end <= position.expected:
        return 0.0
    return None if position.received_ms is None else max(0.0, now_ms - position.received_ms) / 1000


def worst_age(ages: Iterable[float | None]) -> float | None:
    """The largest of *ages*; None where there is none, or where one of them cannot be told."""
    known = list(ages)
    return max((age for age in known if age is not None), default=None) if None not in known else None


@dataclass(frozen=True, slots=True)
class Recovery:
    """Where to go on after an assignment or an error, and how many offsets are gone for good."""

    position: Position
    gap: int


def recover(stored: int | None, beginning: int, end: int, *, partition: str) -> Recovery:
    """Decide where work on *partition* goes on.

    Raises OperatorError where the database has seen more than the log holds: then this is another topic
    under the old name, and going on would skip what it brings.
    """
    if stored is None:
        return Recovery(Position(stored=None, expected=beginning), gap=0)
    if stored > end:
        raise OperatorError(
            f"{partition} ends at offset {end}, but {stored} records of it are in the database already: it is another "
            "topic under the old name, or another broker; use the database that belongs to it, or another one"
        )
    if stored < beginning:
        return Recovery(Position(stored=stored, expected=beginning), gap=beginning - stored)
    return Recovery(Position(stored=stored, expected=stored), gap=0)


def pause_after(failures: int, chance: float, *, shortest: float = 0.1, longest: float = 2.0) -> float:
    """Seconds to wait after so many *failures* in a row: doubling, bounded, spread by *chance* (0 to 1)."""
    doubled = min(longest, shortest * 2.0 ** min(failures, 16))
    return doubled * (0.5 + chance / 2)


@dataclass(slots=True)
class Pace:
    """How many records to take in one transaction, so that none takes much longer than *seconds*.

    Alerts go out when their transaction has ended, and whoever stops the worker waits for its end.
    """

    seconds: float = 1.0
    most: int = 1000  # before anything is known
    least: int = 128  # fewer say more of the round trips than of the records

    def learn(self, records: int, took: float) -> None:
        """So many *records* took so many seconds."""
        if records >= self.least:
            self.most = max(self.least, int(records * self.seconds / took))


def most_after(failures: int, *, first: int = 2048, least: int = 128) -> int:
    """How many records to try in one transaction after so many *failures* in a row: half as many each time."""
    return max(least, first >> min(failures - 1, 16)) if failures else _ANY_NUMBER
