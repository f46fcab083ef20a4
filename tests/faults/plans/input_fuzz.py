"""Records that nobody should send among those that everybody waits for: the worker goes on, and no alert waits for it."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

import orjson
from confluent_kafka import Consumer, KafkaError, Producer
from confluent_kafka import Message as Delivered
from rich.console import Console

from deploy.local.accounts import Installation
from deploy.local.vigil import wait_until
from tests.faults.evidence import ROLES
from tests.faults.fuzz import Fuzz
from tests.faults.kinds import Kind
from tests.faults.load import Load, Message, now
from tests.faults.plan import Plan
from tests.faults.running import LANES, Run, seed_of_the_day

PER_S = 500.0  # readings, in sets of five, and as many oddities: what comes is mixed, and not wholly bad
FEW_PER_S = 300.0
PATIENTS = 100  # a set a second of each
_QUIET_S = 8.0  # without any, to compare with
_LATER_S = 1.0
_STEP_S = 0.02
_TOPICS = {"readings": "vitals.readings.v1", "commands": "vitals.commands.v1"}


@dataclass(slots=True)
class Heard:
    """When each alert about a patient of the load reached a pager, and when its reading had come."""

    arrivals: list[tuple[float, float]] = field(default_factory=list)  # received, heard; seconds since 1970
    is_over: threading.Event = field(default_factory=threading.Event)

    def waits(self, begin: float, end: float) -> list[float]:
        """How long each alert took whose reading came between *begin* and *end*, sorted."""
        return sorted(heard - received for received, heard in self.arrivals if begin <= received < end)


def mix_in(run: Run, oddities: int, *, per_s: float, is_timed: bool = True) -> None:
    """A while of the load alone, then as many *oddities* among it; the alerts of both are timed by a pager."""
    with _listening(run.installation) as heard:
        run.start()
        time.sleep(_QUIET_S / 2)
        begin = time.time()
        time.sleep(_QUIET_S)
        middle, waited = time.time(), _waited_for_a_processor(run)
        _send(run, oddities, per_s)
        end = time.time()
        share = (_waited_for_a_processor(run) - waited) / (end - middle)
        wait_until(lambda: heard.arrivals and heard.arrivals[-1][0] > end + 1, 30)
    without, among = heard.waits(begin, middle), heard.waits(middle, end)
    Console(width=150).print(
        f"VIGIL_FAULTS_SEED={seed_of_the_day()}: {oddities} oddities in {end - middle:.0f} s; "
        f"alerts without them {_told(without)}, among them {_told(among)}; "
        f"of that time the worker waited {share:.0%} for a processor"
    )
    if run.worker.starts != 1 or run.worker.exit_code is not None:
        run.wrong.append(f"the worker stopped: {run.worker.last_words()[-500:]}")
    if is_timed:  # where others work on the same machine, seconds say little of ours
        _judge(run, without, among)


def _waited_for_a_processor(run: Run) -> float:
    """For how many seconds so far; where the system tells it. Of a machine that others use, a second says little."""
    try:
        return int(Path(f"/proc/{run.worker.pid}/schedstat").read_text().split()[1]) / 1e9
    except OSError:
        return 0.0


def _judge(run: Run, without: Sequence[float], among: Sequence[float]) -> None:
    """No alert among the oddities may take a second longer than the slowest took without them."""
    if not without or not among:
        run.wrong.append(f"too few alerts to compare: {len(without)} and {len(among)}")
        return
    late = sum(wait > without[-1] + _LATER_S for wait in among)
    if late:
        run.wrong.append(f"{late} alerts more than {_LATER_S:g} s later among the oddities than without")


def _told(waits: Sequence[float]) -> str:
    if not waits:
        return "none"
    return f"{len(waits)}: p50 {waits[len(waits) // 2]:.3f} s, p99 {waits[len(waits) * 99 // 100]:.3f} s, max {waits[-1]:.3f} s"


def _send(run: Run, oddities: int, per_s: float) -> None:
    """Send them at a steady rate; what the broker has accepted is kept beside the load's messages."""
    fuzz = Fuzz(run.random.randrange(2**32))
    producer = Producer(
        {"bootstrap.servers": run.installation.bootstrap_servers, "enable.idempotence": True, "linger.ms": 5}
    )
    begun, sent = time.monotonic(), 0
    while sent < oddities:
        due = min(oddities, int((time.monotonic() - begun) * per_s))
        for _ in range(due - sent):
            _produce(producer, run, fuzz)
        if due // 1_000 > sent // 1_000:
            run.struck()
        sent = due
        producer.poll(0)
        time.sleep(_STEP_S)
    if producer.flush(60):
        run.wrong.append("not all oddities were accepted in time")


def _produce(producer: Producer, run: Run, fuzz: Fuzz) -> None:
    oddity = fuzz.next_oddity(now())

    def keep(error: KafkaError | None, delivered: Delivered) -> None:
        if error is not None:
            run.wrong.append(f"an oddity was not accepted: {error}")
            return
        place = delivered.topic(), delivered.partition(), delivered.offset()
        run.sent.messages[place] = Message(
            number=0, topic=oddity.topic, key=None, value=oddity.value, is_strange=True
        )

    producer.produce(
        run.installation.topic(_TOPICS[oddity.topic]),
        oddity.value,
        oddity.key,
        partition=run.random.randrange(LANES),
        headers=oddity.headers,
        on_delivery=keep,
    )


@contextmanager
def _listening(installation: Installation) -> Iterator[Heard]:
    heard = Heard()
    thread = threading.Thread(target=_listen, args=(installation, heard), name="pager")
    thread.start()
    try:
        yield heard
    finally:
        heard.is_over.set()
        thread.join()


def _listen(installation: Installation, heard: Heard) -> None:
    """Read alerts as a pager does, and note those that a reading of the load led to."""
    consumer = Consumer(
        {
            "bootstrap.servers": installation.bootstrap_servers,
            "group.id": f"{installation.group}.pager",
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": 20,
            "log_level": 0,
        }
    )
    with closing(consumer):
        consumer.subscribe([installation.topic(ROLES["alerts"])])
        while not heard.is_over.is_set():
            for record in consumer.consume(500, 0.05):
                if record.error() is None:
                    _note(heard, orjson.loads(record.value()), time.time())


def _note(heard: Heard, alert: dict[str, str], at: float) -> None:
    if alert["patient_id"].startswith("p") and alert["kind"] == "physiological":
        heard.arrivals.append((datetime.fromisoformat(alert["received_at"]).timestamp(), at))


MATRIX = [
    Plan(
        fault="100,000 oddities",
        kind=Kind.INPUT,
        act=partial(mix_in, per_s=PER_S),
        strikes=100_000,
        seconds=290,
        is_alone=True,
        readings_per_s=PER_S,
        load=partial(Load, patients=PATIENTS),
    )
]
SHORT = [
    Plan(
        fault="5,000 oddities",
        kind=Kind.INPUT,
        act=partial(mix_in, per_s=FEW_PER_S, is_timed=False),
        strikes=5_000,
        seconds=45,
        is_alone=True,
        readings_per_s=FEW_PER_S,
        load=partial(Load, patients=PATIENTS),
    )
]
