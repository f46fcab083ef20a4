"""One run: broker, database, workers and faults, interleaved at random from a seed until all is quiet."""

from collections import Counter, deque
from random import Random

from tests.model.broker import Broker, InputPartition, Steps
from tests.model.charting import Lane, Row
from tests.model.clinic import Entry, Kind
from tests.model.database import Database
from tests.model.defects import Defect
from tests.model.faults import Fault, enabled, strike
from tests.model.group import Group
from tests.model.repairing import repair
from tests.model.workers import Worker

ACTIVE_STEPS = 900
MOST_STEPS = 12_000
SESSION_TIMEOUT = 60
IDLE_TIMEOUT = 25
_FAULT_RATE = 1 / 30
_BURSTS = (1, 1, 1, 2, 3, 8, 20)


class World:
    """Everything there is in one run. Time is the number of steps."""

    def __init__(self, seed: int, planted: Defect | None = None, *, is_restored: bool | None = None) -> None:
        self.rng = rng = Random(seed)
        self.planted = planted
        self.now = 0
        self.lanes = rng.randint(1, 3)
        self.patients = rng.randint(1, 4)
        self.broker = Broker(rng, self.lanes)
        self.database = Database(rng)
        self.group = Group(rng, self.lanes)
        self.faults = enabled(rng, is_restored=is_restored)
        self.misfetches = Fault.MISFETCH in self.faults
        self.has_wrong_keys = rng.random() < 0.6
        self.load = deque(_load(rng, self.patients))
        self.gaps: list[tuple[InputPartition, int, int]] = []
        self.stopped: set[int] = set()
        self.backup: dict[tuple[object, ...], object] | None = None
        self.is_mended = False  # restored, reset or repaired: numbers jump, and what is out may be no more
        self.log: list[str] = []
        self.happened: Counter[str] = Counter()
        self.workers: list[Worker] = []
        self.late_starts: deque[int] = deque()
        self.repairs: dict[int, Steps] = {}
        self._names = 0
        self._is_active = True
        for lane in range(self.lanes):
            self.database.rows["lane", lane] = Lane()
            self.database.rows["outbox", lane, 0] = Row(0, self.database.nonce(), None)
        for _ in range(rng.randint(1, 4)):
            self.start_worker()

    # ---- what faults and actors call

    def say(self, what: str) -> None:
        """Note what happened, for whoever looks at this run."""
        self.log.append(f"{self.now:6} {what}")

    def saw(self, what: str) -> None:
        """Count and note what happened: a run in which nothing does proves nothing."""
        self.happened[what] += 1
        self.say(what)

    def lane_stopped(self, lane: int) -> None:
        """*lane* waits for somebody to mend it."""
        self.stopped.add(lane)
        self.saw("lane stopped")

    def start_worker(self) -> None:
        """Start a process that has never been."""
        self._names += 1
        self.workers.append(Worker(self, f"worker-{self._names}"))

    def kill(self, worker: Worker) -> None:
        """End *worker* where it stands; another is started some time later."""
        worker.kill()
        self.database.cut(worker)
        self.workers.remove(worker)
        self.late_starts.append(self.now + self.rng.randint(1, 100))

    def report_gap(self, partition: InputPartition, begin: int, end: int) -> None:
        """Report offsets that nobody can read any more."""
        self.gaps.append((partition, begin, end))
        self.saw("gap reported")

    # ---- the run

    def run(self) -> bool:
        """Run to the end; False if it never became quiet."""
        while self.now < ACTIVE_STEPS:
            self._step()
        self._end_faults()
        while self.now < MOST_STEPS:
            for _ in range(20):
                self._step()
            if self._is_quiet():
                return True
        return False

    def _step(self) -> None:
        rng = self.rng
        self.now += 1
        self.broker.now = self.now
        chance = rng.random()
        if chance < 0.12:
            self._do_background()
            if self._is_active and chance < _FAULT_RATE:
                strike(self)
            return
        worker = self.workers[int(rng.random() * len(self.workers))] if self.workers else None
        if worker is None or worker.is_paused_until > self.now:
            return
        task = worker.tasks[int(rng.random() * len(worker.tasks))]
        for _ in range(_BURSTS[int(rng.random() * len(_BURSTS))]):
            next(task)

    def _do_background(self) -> None:
        """What producers, servers, the coordinator and the operator do in their own time."""
        self.broker.work()
        self.database.work()
        if self.load and self.rng.random() < 0.5:
            self._produce()
        while self.late_starts and self.late_starts[0] <= self.now:
            self.late_starts.popleft()
            self.start_worker()
        for worker in [
            each for each in self.group.members if each not in self.workers or self._is_silent(each)
        ]:
            if self.rng.random() < 1 / SESSION_TIMEOUT * 8:
                self.group.leave(worker)
        for worker in self.workers:
            if worker.is_paused_until > self.now and self.rng.random() < 1 / IDLE_TIMEOUT * 8:
                self.database.cut(worker)
        self._operate()

    def _is_silent(self, worker: Worker) -> bool:
        return worker.is_paused_until > self.now

    def _operate(self) -> None:
        """Repair lanes that stopped after somebody touched the data; go on with the repairs under way."""
        if self.is_mended:
            for lane in self.stopped - self.repairs.keys():
                self.repairs[lane] = repair(self, lane)
        for lane, task in list(self.repairs.items()):
            for _ in range(int(self.rng.random() * 4)):
                try:
                    next(task)
                except StopIteration:
                    del self.repairs[lane]
                    break

    def _produce(self) -> None:
        """Write one record: keyed well or not, once or twice, now and then with a marker before it."""
        rng = self.rng
        entry = self.load.popleft()
        topic = "commands" if entry.kind is Kind.CLOSE else "readings"
        is_astray = self.has_wrong_keys and rng.random() < 0.5
        partition = int(rng.random() * self.lanes) if is_astray else entry.patient % self.lanes
        if rng.random() < 0.08:
            self.broker.append((topic, partition), None)
        self.broker.append((topic, partition), entry)
        if rng.random() < 0.12:
            self.load.insert(int(rng.random() * (len(self.load) + 1)), entry)

    def _end_faults(self) -> None:
        self._is_active = False
        self.say("faults end")
        self.misfetches = False
        self.broker.unreadable_until = 0
        self.broker.loses_replies = self.database.loses_replies = 0.0
        if not self.workers or self.rng.random() < 0.3:
            self.late_starts.append(self.now)
        for worker in self.workers:
            worker.is_paused_until = 0

    def _is_quiet(self) -> bool:
        rows = self.database.rows
        return (
            not self.load
            and not self.late_starts
            and not self.repairs
            and not self.stopped
            and self.broker.is_settled
            and all(not _unread(self, partition) for partition in self.broker.inputs)
            and all(head[1] is None for p in range(self.patients) if (head := rows.get(("chart", p))))
            and all(self._is_published(lane) for lane in range(self.lanes))
        )

    def _is_published(self, lane: int) -> bool:
        cursor = self.broker.cursors.get(lane)
        if self.planted is Defect.SEQ_FROM_SEQUENCE:
            last = max((key[2] for key in self.database.rows if key[:2] == ("outbox", lane)), default=0)
        else:
            last = self.database.rows["lane", lane].last_seq
        return cursor is not None and cursor.seq == last


def _unread(world: World, partition: InputPartition) -> bool:
    log = world.broker.inputs[partition]
    progress = world.database.rows.get(("progress", *partition)) or 0
    return any(log.records[max(progress, log.beginning) :])


def _load(rng: Random, patients: int) -> list[Entry]:
    """Alternating values now and then, commands and unusable records among them."""
    entries = []
    for number in range(rng.randint(8, 32)):
        kind = rng.choices((Kind.READING, Kind.CLOSE, Kind.UNUSABLE), (8, 1, 1))[0]
        is_high = kind is Kind.READING and rng.random() < 0.5
        entries.append(Entry(number, int(rng.random() * patients), kind, is_high))
    return entries
