"""A worker that starts while the broker, or broker and database, cannot be reached."""

import time
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import dropwhile

from deploy.local.finding import say_to_terminal
from deploy.local.processes import free_port
from deploy.local.services import Service
from deploy.local.vigil import wait_until
from tests.faults.acting import kafka_of, postgres_of
from tests.faults.kinds import Kind
from tests.faults.plan import Act, Plan
from tests.faults.running import Run
from tests.faults.witness import Look, witnessed

_READY_SECONDS = 30.0
_UNATTENDED_SECONDS = 2.0  # alerts are called for meanwhile
_BETWEEN_SECONDS = 8.0
_NOTICED_SECONDS = 8.0  # an attempt may take 5 s, the pause after it 2 s
_OK, _NOT_READY = 200, 503

Away = Sequence[Service]
"""What is away, in the order in which it comes back."""


def start_without(run: Run, strikes: int, *, of: Sequence[str], seconds: float) -> None:
    """Start the worker anew while what is named is away; let it come back *seconds* later, one after the other."""
    services = [{"broker": kafka_of, "database": postgres_of}[each](run) for each in of]
    run.start()
    for _ in range(strikes):
        time.sleep(run.random.uniform(1, 3))
        run.worker.kill()
        time.sleep(_UNATTENDED_SECONDS)
        run.struck()
        for service in services:
            service.kill()
        run.worker.start(VIGIL_HTTP_PORT=str(free_port()))
        with witnessed(run.worker) as looks:
            time.sleep(seconds)
            back_at = list(_bring_back(services))
            worked = run.worker.wait_for("batch_handled", _READY_SECONDS)
            ready = wait_until(partial(_is_ready, looks), _READY_SECONDS)
            time.sleep(2)
        if not (worked and ready):
            run.wrong.append(f"it does not come to work by itself: {looks[-1]}")
        run.wrong.extend(_untrue(looks, back_at, of))
        _tell(looks, back_at, of)


def _is_ready(looks: Sequence[Look]) -> bool:
    return looks[-1].ready == _OK


def _bring_back(services: Away) -> Iterator[float]:
    for number, service in enumerate(services):
        if number:
            time.sleep(_BETWEEN_SECONDS)
        service.start()
        yield time.time()


def _untrue(looks: Sequence[Look], back_at: Sequence[float], of: Sequence[str]) -> Iterator[str]:
    """Alive from the first answer on; not ready, and waiting for what is away, until all is back; ready from then on."""
    looks = list(dropwhile(lambda look: not look.live, looks))
    if dead := sum(look.live != _OK for look in looks):
        yield f"it did not say that it is alive at {dead} of {len(looks)} looks"
    early = [look for look in looks if look.at < back_at[-1] and look.ready != _NOT_READY]
    if early:
        yield f"it did not say that it is not ready at {len(early)} looks: {early[0]}"
    for number, look in enumerate(look for look in looks if look.at < back_at[-1]):
        away = [name for name, at in zip(of, back_at, strict=True) if look.at < at + _NOTICED_SECONDS]
        named = [name for name in away if any(f"waiting for the {name}" in reason for reason in look.reasons)]
        if number and not named:
            yield f"it does not say that it waits for {' or '.join(away)}: {look.reasons}"
            return
    first = next((number for number, look in enumerate(looks) if look.ready == _OK), len(looks))
    if any(look.ready != _OK for look in looks[first:]):
        yield "it said that it is ready, and then that it is not"


def _tell(looks: Sequence[Look], back_at: Sequence[float], of: Sequence[str]) -> None:
    ready_at = next((look.at for look in looks if look.ready == _OK), None)
    after = "never" if ready_at is None else f"{ready_at - back_at[-1]:.1f} s after the last was back"
    say_to_terminal(f"started without {' and '.join(of)}: {len(looks)} looks, ready {after}")


def _plan(of: Sequence[str], seconds: float) -> Plan:
    act: Act = partial(start_without, of=of, seconds=seconds)
    return Plan(
        fault=f"started while {' and '.join(of)} cannot be reached",
        kind=Kind.BROKER if of[0] == "broker" else Kind.DATABASE,
        act=act,
        strikes=1,
        seconds=seconds + 30,
    )


MATRIX = [
    _plan(("broker",), 30),
    _plan(("database", "broker"), 30),
    _plan(("broker", "database"), 30),
]
SHORT = [_plan(("broker", "database"), 3)]
