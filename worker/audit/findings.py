"""What an audit finds: counted, with places to look at; numbers and ids only, nothing of a patient."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

Advance: TypeAlias = Callable[[int], None]
"""Told of how many more records have been looked at."""

_MOST_KEPT = 1_000  # of each kind; all are counted


class Subject(StrEnum):
    """What was looked at."""

    READINGS = "readings"
    COMMANDS = "commands"
    DEAD_LETTERS = "dead letters"
    CHARTS = "numbers of charts"  # a reading set, a command or a tick each
    ALERTS = "alerts"
    TEST_ALERTS = "alerts of test data"
    ALARM_STATES = "alarm states"
    PUBLISHED_DEAD_LETTERS = "published dead letters"
    COPY = "alerts in the copy"
    LANES = "lanes"


class Trouble(StrEnum):
    """What is wrong with it."""

    LOST = "lost"
    DOUBLED = "doubled"
    ALTERED = "altered"
    UNEXPLAINED = "there, though nothing stored led to it"
    OUT_OF_ORDER = "out of order"
    GONE = "out, of a history that is gone: noted by a repair after a restore"
    STOPPED = "stopped: see `vigil lanes status`"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, and where."""

    trouble: Trouble
    subject: Subject
    where: str


@dataclass(slots=True)
class Account:
    """What an audit came to."""

    compared: Counter[Subject] = field(default_factory=Counter)
    wrong: Counter[tuple[Subject, Trouble]] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    not_taken_in: int = 0  # records of the log that no worker has handled yet
    not_published: int = 0  # records of the outbox that no lane has published yet
    remarks: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.wrong

    def add(self, findings: Iterable[Finding]) -> None:
        """Count *findings*, and keep some of each kind."""
        for each in findings:
            kind = each.subject, each.trouble
            self.wrong[kind] += 1
            if self.wrong[kind] <= _MOST_KEPT:
                self.findings.append(each)

    def told(self) -> Iterator[str]:
        """Yield the verdict and what it rests on, line by line."""
        if self.is_whole:
            yield "nothing lost, nothing doubled"
        for (subject, trouble), count in sorted(self.wrong.items()):
            yield f"{subject}: {count:,} {trouble}"
        seen = ", ".join(f"{count:,} {subject}" for subject, count in self.compared.items())
        yield f"compared: {seen or 'nothing: there was nothing in this time'}"
        yield (
            f"under way, and no loss: {self.not_taken_in:,} records not taken in yet, "
            f"{self.not_published:,} not published yet"
        )
        yield from self.remarks
