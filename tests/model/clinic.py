"""The clinic: as little judgement as alerts can be made of, a limit that is crossed and a signal that is overdue."""

from enum import StrEnum
from typing import NamedTuple

OVERDUE_AFTER = 50
"""Steps without a reading after which a signal is overdue."""


class Kind(StrEnum):
    """What a record is."""

    READING = "reading"
    CLOSE = "close"  # the command that closes the alarm
    UNUSABLE = "unusable"  # becomes a dead letter


class Entry(NamedTuple):
    """What a record says; two records that say the same bear the same id."""

    entry_id: int
    patient: int
    kind: Kind
    is_high: bool = False


class Alert(NamedTuple):
    """What is published; it is its own `ce_id`: made from episode, phase and cause."""

    patient: int
    rule: str
    phase: str
    episode: int
    cause: int


class Chart(NamedTuple):
    """What is known of a patient. The last three belong to the chart but are rows of their own."""

    seq: int = 0
    due: int | None = None
    clock: int = 0
    last: int = -1  # the entry that was taken in last
    high_since: int | None = None  # the entry that began the episode
    silent_since: int | None = None  # likewise


def dead_letter(partition: tuple[str, int], offset: int) -> Alert:
    """What is published for an unusable record; it has no patient."""
    topic, number = partition
    return Alert(-1, topic, str(number), offset, offset)


def evaluate(chart: Chart, entry: Entry, received: int) -> tuple[Chart, list[Alert]]:
    """Take *entry* in. A chart's time never runs backwards."""
    patient, cause, alerts = entry.patient, entry.entry_id, []
    high_since, silent_since, due = chart.high_since, chart.silent_since, chart.due
    clock = max(chart.clock, received)
    if entry.kind is Kind.READING:
        due = clock + OVERDUE_AFTER
        if silent_since is not None:
            alerts.append(Alert(patient, "silent", "end", silent_since, cause))
            silent_since = None
        if entry.is_high and high_since is None:
            alerts.append(Alert(patient, "high", "start", cause, cause))
            high_since = cause
    if high_since is not None and not entry.is_high:
        alerts.append(Alert(patient, "high", "end", high_since, cause))
        high_since = None
    return Chart(chart.seq + 1, due, clock, cause, high_since, silent_since), alerts


def tick(chart: Chart, patient: int, at: int) -> tuple[Chart, list[Alert]]:
    """Let time pass up to *at*, at which the chart is due."""
    alert = Alert(patient, "silent", "start", chart.last, chart.last)
    return chart._replace(seq=chart.seq + 1, due=None, clock=at, silent_since=chart.last), [alert]
