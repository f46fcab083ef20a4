"""What a batch and a tick have in common: charts are locked, read, changed, saved, and what follows is queued."""

from collections.abc import Iterable
from typing import NamedTuple

from tests.model.clinic import Alert, Chart, Entry
from tests.model.database import Database, Key, Steps, Transaction
from tests.model.defects import Defect


class Row(NamedTuple):
    """A row of the outbox; one without an alert is a marker, which is never sent."""

    seq: int
    nonce: int
    alert: Alert | None


class Lane(NamedTuple):
    """A lane's row."""

    last_seq: int = 0
    epoch: int = 0


class Taken(NamedTuple):
    """What a chart took in under a number: an entry with its record's place and time, or a tick at a time."""

    at: int
    entry: Entry | None
    partition: tuple[str, int] | None = None
    offset: int = -1


class Charting:
    """The charts of one transaction."""

    def __init__(
        self, transaction: Transaction, database: Database, lanes: int, planted: Defect | None
    ) -> None:
        self.alerts: list[tuple[int, Alert]] = []  # with the lane
        self.queued: list[tuple[int, Row]] = []
        self._transaction = transaction
        self._database = database
        self._lanes = lanes
        self._planted = planted
        self._charts: dict[int, Chart] = {}
        self._changed: set[int] = set()

    def __getitem__(self, patient: int) -> Chart:
        return self._charts[patient]

    def lock(self, patients: Iterable[int], *, is_tick: bool = False) -> Steps:
        """Lock the charts of *patients* in order, then read what belongs to them."""
        ordered = sorted(patients)
        early = {p: self._tail(p) for p in ordered} if self._planted is Defect.READ_WHILE_LOCKING else {}
        if not (is_tick and self._planted is Defect.TICK_WITHOUT_LOCK):
            yield from self._transaction.lock([("chart", p) for p in ordered if self._can_be_locked(p)])
        yield
        for patient in ordered:
            head = self._transaction.get(("chart", patient)) or (0, None)
            self._charts[patient] = Chart(*head, *(early.get(patient) or self._tail(patient)))
        yield

    def enter(self, patient: int, outcome: tuple[Chart, list[Alert]], taken: Taken) -> None:
        """Take over what an evaluation came to."""
        chart, alerts = outcome
        self._charts[patient] = chart
        self._changed.add(patient)
        self._transaction.put(("history", patient, chart.seq), taken)
        self.alerts.extend((patient % self._lanes, alert) for alert in alerts)

    def save(self) -> Steps:
        """Write the charts that changed and queue the alerts; the lanes' locks come last."""
        for patient in self._changed:
            chart = self._charts[patient]
            self._transaction.put(("chart", patient), chart[:2])
            self._transaction.put(("tail", patient), chart[2:])
        yield
        lanes = sorted({lane for lane, _ in self.alerts})
        if self._planted is not Defect.SEQ_FROM_SEQUENCE:
            yield from self._transaction.lock([("lane", lane) for lane in lanes])
        for lane, alert in self.alerts:
            row = Row(self._next_seq(lane), self._database.nonce(), alert)
            self._transaction.put(("outbox", lane, row.seq), row)
            self.queued.append((lane, row))
        yield

    def _next_seq(self, lane: int) -> int:
        if self._planted is Defect.SEQ_FROM_SEQUENCE:
            return self._database.next_of_sequence(lane)
        row = self._transaction.get(("lane", lane))
        self._transaction.put(("lane", lane), row._replace(last_seq=row.last_seq + 1))
        return int(row.last_seq) + 1

    def _can_be_locked(self, patient: int) -> bool:
        """A row that is not there can be locked only by inserting it."""
        key: Key = ("chart", patient)
        return self._planted is not Defect.ABSENT_CHART_NOT_LOCKED or self._transaction.get(key) is not None

    def _tail(self, patient: int) -> tuple[object, ...]:
        return self._transaction.get(("tail", patient)) or tuple(Chart()[2:])
