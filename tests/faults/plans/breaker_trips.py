"""What is wrong with what comes in: a stream that turns wholly bad, and a device that does."""

from collections.abc import Callable, Iterable
from functools import partial

from deploy.local.vigil import wait_until
from tests.faults.acting import works_again
from tests.faults.bad_loads import BadDevice, BadStream
from tests.faults.kinds import Kind
from tests.faults.load import Load
from tests.faults.plan import Plan
from tests.faults.running import Result, Run

_EAGER = {"alone": {"VIGIL_INSTANCE_ID": "alone", "VIGIL_STREAM_BUDGET": "40", "VIGIL_STREAM_PAUSE": "1"}}


def stream_turns_bad(run: Run, strikes: int) -> None:
    """Wait until the stream is paused, kill the worker while it is, and wait until it has resumed by itself."""
    run.start()
    for _ in range(strikes):
        assert wait_until(lambda: run.worker.said("input_paused") > 0, 60), run.worker.last_words()
        run.struck()
        run.worker.kill()
        run.worker.start()
        assert run.worker.wait_for("input_resumed"), run.worker.last_words()
    works_again(run.worker)


def kill_meanwhile(run: Run, strikes: int, *, after_s: float) -> None:
    """Let it go on for a while, and kill the worker in the middle of it."""
    run.start()
    for _ in range(strikes):
        wait_until(lambda: False, run.random.uniform(after_s, after_s + 4))
        run.struck()
        run.worker.kill()
        run.start()
    wait_until(lambda: False, after_s)


def _said(*reasons: str) -> Callable[[Result], Iterable[str]]:
    def examine(result: Result) -> Iterable[str]:
        return (f"{reason} was never said" for reason in reasons if not result.findings.wholes[reason])

    return examine


def _plans(strikes: int) -> list[Plan]:
    def plan(fault: str, load: type[Load], **rest: object) -> Plan:
        given = {"act": partial(kill_meanwhile, after_s=12), "seconds": 30 * strikes + 20, **rest}
        return Plan(fault=fault, kind=Kind.INPUT, strikes=strikes, load=load, **given)  # type: ignore[arg-type]

    return [
        plan(
            "a stream turns bad",
            BadStream,
            act=stream_turns_bad,
            names=_EAGER,
            examine=_said("input_paused", "input_resumed"),
        ),
        plan("a device turns bad", BadDevice, examine=_said("device_unusable", "device_usable")),
    ]


MATRIX = _plans(3)
SHORT = _plans(1)
