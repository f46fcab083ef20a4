"""Outages under load: broker or database are away for a while, and how soon all is whole again is measured."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg

from deploy.local.accounts import unfinished
from deploy.local.finding import say_to_terminal
from deploy.local.services import Service
from tests.faults.acting import strike
from tests.faults.evidence import records
from tests.faults.running import Run
from tests.faults.witness import Look, cpu_seconds, metric, witnessed

JUDGED_SECONDS, DRAINED_SECONDS, MOST_MIB = 10.0, 60.0, 300.0
_STEADY_SECONDS = 3.0
NOTICED_SECONDS = 8.0  # the time in which it must have told of an outage
_OK, _NOT_READY = 200, 503
_GIVE_UP_SECONDS = 120.0
_A_SECOND_OF_LOAD = 100  # messages
_REBALANCES = 'vigil_consumer_rebalances_total{event="assigned"}'

Newest = Mapping[str, datetime]
Alert = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """How all became whole again, in seconds from the moment at which broker or database answered."""

    judged: float  # the newest value of the last patient
    drained: float
    cpu: float  # seconds of a processor that the worker took for it
    most_mib: float
    first_alert: float  # how long after the return
    first_phase: str
    first_age: float  # how old the state was that it speaks of
    first_is_overtaken: bool  # a newer value of this sign had been taken in before it
    false_silences: int  # devices said to be silent that were not
    rebalances: int

    def __str__(self) -> str:
        return (
            f"every newest value judged after {self.judged:.1f} s, drained after {self.drained:.1f} s ({self.cpu:.1f} s of a processor), at most "
            f"{self.most_mib:.0f} MiB, first alert after {self.first_alert:.1f} s: {self.first_phase}, observed "
            f"{self.first_age:.0f} s before; {self.false_silences} false silences, {self.rebalances} rebalances"
        )


def take_away(
    run: Run,
    service: Service,
    seconds: float,
    *,
    away: Callable[[Service], None] = lambda service: service.kill(),
    back: Callable[[Service], None] = lambda service: service.start(),
    is_timed: bool = True,
) -> None:
    """Let *service* be away for *seconds* under load, and measure the return; a promise that is broken is noted.

    Where other runs have company, the seconds of the return say little: then it is not *is_timed*.
    """
    worker = run.worker
    pid, rebalances = worker.pid, metric(worker, _REBALANCES)
    with witnessed(worker) as looks:
        time.sleep(_STEADY_SECONDS)
        gone_at = time.time()
        strike(run, lambda: away(service))
        time.sleep(seconds)
        back(service)
        back_at, used = time.time(), cpu_seconds(worker)
        judged, drained = _catch_up(run, back_at)
        used = cpu_seconds(worker) - used
        time.sleep(2)
    alerts = _alerts_after(run, back_at)
    first = alerts[0]
    found = Return(
        judged=judged,
        drained=drained,
        cpu=used,
        most_mib=max(look.rss_mib for look in looks),
        first_alert=first["published_at"] - back_at,
        first_phase=f"{first['phase']} {first['reason']}",
        first_age=first["published_at"] - _time(first["observed_at"]).timestamp(),
        first_is_overtaken=_is_overtaken(run, first),
        false_silences=sum(_is_false_silence(run, alert) for alert in alerts),
        rebalances=int(metric(worker, _REBALANCES) - rebalances),
    )
    say_to_terminal(f"{service.name} away for {seconds:g} s: {found}")
    run.wrong.extend(_untrue(looks, gone_at, back_at))
    run.wrong.extend(_broken(found))
    if is_timed:
        run.wrong.extend(_too_late(found))
    if (worker.pid, worker.exit_code) != (pid, None):
        run.wrong.append("the process has ended")


def _too_late(found: Return) -> Iterator[str]:
    if found.judged > JUDGED_SECONDS:
        yield f"the newest values were judged only after {found.judged:.1f} s"
    if found.drained > DRAINED_SECONDS:
        yield f"the backlog was drained only after {found.drained:.1f} s"


def _broken(found: Return) -> Iterator[str]:
    """Which of the promises that no clock is needed for were not kept."""
    if found.most_mib > MOST_MIB:
        yield f"the process took {found.most_mib:.0f} MiB"
    if found.first_is_overtaken:
        yield "the first alert was about a state that was overtaken when it was judged"
    if found.false_silences:
        yield f"{found.false_silences} devices were said to be silent that were not"


def _untrue(looks: Sequence[Look], gone_at: float, back_at: float) -> Iterator[str]:
    """Alive throughout; not ready, with a reason, as soon as it can have noticed; ready in the end."""
    away = [look for look in looks if gone_at + NOTICED_SECONDS < look.at < back_at]
    if dead := sum(look.live != _OK for look in looks):
        yield f"it did not say that it is alive at {dead} of {len(looks)} looks"
    if not_said := [look for look in away if look.ready != _NOT_READY or not look.reasons]:
        yield f"it did not say that it is not ready at {len(not_said)} of {len(away)} looks: {not_said[:2]}"
    if looks[-1].ready != _OK:
        yield f"it does not say that it is ready again: {looks[-1].reasons}"


def _catch_up(run: Run, back_at: float) -> tuple[float, float]:
    """Wait until all of the outage is behind; after how long every newest value was judged, and nothing waited."""
    offered, judged, drained = run.sent.offered, [], 0.0
    while not drained and time.time() < back_at + _GIVE_UP_SECONDS:
        judged.append((time.time() - back_at, _newest_judged(run, back_at)))
        if len(run.sent.messages) >= offered and max(unfinished(run.installation)) < _A_SECOND_OF_LOAD:
            drained = time.time() - back_at
        time.sleep(0.1)
    assert drained, "the backlog does not drain"
    wanted = _newest_sent(run, back_at)
    after = (
        seconds
        for seconds, newest in judged
        if all(patient in newest and newest[patient] >= at for patient, at in wanted.items())
    )
    return next(after, drained), drained


def _newest_sent(run: Run, until: float) -> Newest:
    """When each patient was last observed before *until*, by what was sent."""
    newest: dict[str, datetime] = {}
    for message in list(run.sent.messages.values()):
        if message.topic != "readings" or 0 in message.bad:
            continue
        body = json.loads(message.value or b"{}")
        at, patient = _time(body["observed_at"]), body["patient_id"]
        if at.timestamp() <= until and len(message.bad) == 0:
            newest[patient] = max(at, newest.get(patient, at))
    return newest


def _newest_judged(run: Run, back_at: float) -> Newest:
    query = (
        "SELECT patient_id, max(observed_at) FROM readings JOIN charts USING (chart_id)"
        " WHERE observed_at > to_timestamp(%s) GROUP BY patient_id"
    )
    with closing(psycopg.connect(run.installation.dsn)) as connection:
        found: list[Any] = connection.execute(query, (back_at - 60,)).fetchall()
    return {patient: at.astimezone(UTC) for patient, at in found}


def _alerts_after(run: Run, back_at: float) -> list[Alert]:
    """The alerts that were published after the return, in order."""
    found = [
        {**json.loads(record.value or b"{}"), "published_at": record.timestamp / 1000}
        for record in records(run.installation, "vitals.alerts.v1")
        if record.timestamp > back_at * 1000
    ]
    return sorted(found, key=lambda alert: float(alert["published_at"]))


def _is_overtaken(run: Run, alert: Alert) -> bool:
    """Whether a value of the alert's sign that is newer by more than sets may be out of turn was taken in before."""
    query = (
        "SELECT 1 FROM readings JOIN charts USING (chart_id) WHERE patient_id = %s AND vital_sign = %s"
        " AND readings.chart_seq < %s AND observed_at > %s::timestamptz + interval '60 seconds'"
    )
    vital = alert["vital"]
    return vital is not None and _is_found(
        run, query, alert["patient_id"], vital["name"], alert["chart_seq"], alert["observed_at"]
    )


def _is_false_silence(run: Run, alert: Alert) -> bool:
    """Whether a device is said to be silent that went on observing: its readings came late."""
    query = (
        "SELECT 1 FROM readings JOIN charts USING (chart_id) WHERE patient_id = %s AND device_id = %s"
        " AND observed_at BETWEEN %s::timestamptz - interval '4 seconds' AND %s::timestamptz"
        " HAVING count(DISTINCT observed_at) > 2"  # one or two may be sets that came out of turn
    )
    if (alert["phase"], alert["reason"]) != ("start", "signal_overdue"):
        return False
    at = alert["observed_at"]
    return _is_found(run, query, alert["patient_id"], alert["device_id"], at, at)


def _is_found(run: Run, query: str, *values: object) -> bool:
    with closing(psycopg.connect(run.installation.dsn)) as connection:
        return connection.execute(query, values).fetchone() is not None


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
