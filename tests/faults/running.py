"""A run: the load flows, a fault acts, all comes to rest, the workers end, and everything is compared."""

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random

import psycopg
from confluent_kafka import KafkaException

import domain
from deploy.local import Services
from deploy.local.accounts import Installation, is_at_rest
from deploy.local.vigil import wait_until
from domain.protocol import Protocol
from tests.faults.after_repair import check_after_repair
from tests.faults.checking import Findings, check
from tests.faults.evidence import Evidence, Record, cursors, gather
from tests.faults.kinds import Kind
from tests.faults.load import Load, now
from tests.faults.producing import Sent, load_running
from tests.faults.replaying import Replayed, replay
from tests.faults.workers import Worker, workers
from worker.protocols import load_protocol

READINGS_PER_S = 500.0
LANES = 6  # as `vigil topics create` makes them
_REST_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Moment:
    """A fault: when it struck, and how far each lane had been published then."""

    at: datetime
    published: Mapping[int, int]
    kind: Kind | None  # None: that of its plan


@dataclass(slots=True)
class Run:
    """What a fault may act upon, and what it notes of its moments."""

    installation: Installation
    workers: dict[str, Worker]
    random: Random
    sent: Sent
    services: Services | None = None  # only where a plan may stop them
    moments: list[Moment] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)  # what a plan itself found that cannot be
    gone: set[str] | None = None  # after a repair: alerts of a history that is gone, as the audit lists them

    @property
    def worker(self) -> Worker:
        """The only worker, or the first."""
        return next(iter(self.workers.values()))

    def start(self) -> None:
        """Start every worker, and wait until each is at work."""
        for worker in self.workers.values():
            worker.start()
        for worker in self.workers.values():
            assert worker.wait_for("batch_handled"), f"{worker.name} does not work"

    def struck(self, at: datetime | None = None, *, kind: Kind | None = None) -> None:
        """Note that a fault has just struck, or struck *at* some moment since when nothing was published.

        *kind* is for a plan that strikes in several ways.
        """
        self.moments.append(Moment(at or now(), cursors(self.installation, range(LANES)), kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A run that is over."""

    evidence: Evidence
    sent: Sent
    protocol: Protocol
    replayed: Replayed
    findings: Findings
    strikes: int
    in_doubt: Counter[
        Kind | None
    ]  # strikes at which at least one alert was not out yet; None: of the plan's kind
    seconds_until_whole: float
    exit_codes: list[int | None]
    seconds_to_stop: float
    complaints: Counter[str]  # warnings and errors that the workers logged

    @property
    def moments_in_doubt(self) -> int:
        return self.in_doubt.total()


def seed_of_the_day(default: int = 20260601) -> int:
    """The seed of all plans: VIGIL_FAULTS_SEED, so that a run can be had again."""
    return int(os.environ.get("VIGIL_FAULTS_SEED", default))


def quick_protocol() -> str:
    """The shipped protocol, but a monitor's silence is told within a run."""
    shipped = (Path(domain.__file__).parent / "protocols" / "ward-adult.toml").read_text()
    quick = shipped.replace('overdue_at_least = "60s"', 'overdue_at_least = "5s"')
    assert quick != shipped
    return quick


def run_fault(
    installation: Installation,
    act: Callable[[Run], None],
    *,
    seed: int,
    names: Mapping[str, Mapping[str, str]],
    services: Services | None = None,
    readings_per_s: float = READINGS_PER_S,
    load: Callable[[int], Load] = Load,
) -> Result:
    """Let *act* do its worst under the load; then wait for quiet, end the workers, and compare."""
    with workers(installation, names, quick_protocol()) as named:
        protocol = load_protocol(next(iter(named.values())).environment["VIGIL_PROTOCOL"])
        with load_running(installation, load(seed), readings_per_s=readings_per_s) as sent:
            run = Run(installation, named, Random(seed), sent, services)
            act(run)
        begun = time.monotonic()
        is_whole = wait_until(lambda: _is_quiet(installation), _REST_SECONDS)
        until_whole = time.monotonic() - begun
        read_at = now()
        for worker in named.values():
            worker.terminate()
        evidence = gather(installation, read_at)
        evidence.readings_in[:0] = sent.kept
        ended = [end for worker in named.values() for end in worker.ends]
        complaints = Counter(one for worker in named.values() for one in worker.complaints())
    replayed = replay(evidence, protocol)
    findings = (
        check(evidence, sent, replayed)
        if run.gone is None
        else check_after_repair(evidence, sent, replayed, run.gone)
    )
    if not is_whole:
        findings.mistrust("not at rest in time")
    findings.wrong.extend(run.wrong)
    return Result(
        evidence=evidence,
        sent=sent,
        protocol=protocol,
        replayed=replayed,
        findings=findings,
        strikes=len(run.moments),
        in_doubt=Counter(moment.kind for moment in run.moments if _is_in_doubt(moment, evidence)),
        seconds_until_whole=until_whole,
        exit_codes=[code for code, _ in ended],
        seconds_to_stop=max(seconds for _, seconds in ended),
        complaints=complaints,
    )


def _is_quiet(installation: Installation) -> bool:
    """Whether all has come to rest; not while broker or database cannot say so."""
    try:
        return is_at_rest(installation) and not _is_anything_overdue(installation)
    except (KafkaException, psycopg.OperationalError):
        return False


def _is_anything_overdue(installation: Installation) -> bool:
    """Whether the timers have still to catch up."""
    with closing(psycopg.connect(installation.dsn)) as connection:
        found = connection.execute("SELECT 1 FROM charts WHERE due_at < now() - interval '5 s' LIMIT 1")
        return found.fetchone() is not None


def _is_in_doubt(moment: Moment, evidence: Evidence) -> bool:
    """Whether at least one alert that *moment*'s input called for was not out then."""
    at_ms = moment.at.timestamp() * 1000
    return any(
        int(record.header("ce_sequence") or 0) > moment.published.get(record.partition, 0)
        and _received_ms(record) <= at_ms
        for record in evidence.out["alerts"]
    )


def _received_ms(record: Record) -> float:
    received_at: str = json.loads(record.value or b"{}")["received_at"]
    return datetime.fromisoformat(received_at).timestamp() * 1000
