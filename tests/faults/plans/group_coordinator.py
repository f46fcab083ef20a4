"""A coordinator that answers with an error when a cursor is read, or whose word on a transaction's end is lost."""

import time
from functools import partial

from deploy.local.vigil import wait_until
from tests.faults.acting import IN_KAFKA, kafka_of, start_to_be_struck, strike, works_again
from tests.faults.kinds import Kind
from tests.faults.plan import Plan
from tests.faults.proxied import (
    END_TXN,
    OFFSET_FETCH,
    ProxiedKafka,
    Proxy,
    cursor_unreadable,
    outcome_unknown,
    proxied_services,
)
from tests.faults.running import LANES, Run

_LOADING, _NOT_AVAILABLE, _ELSEWHERE = 14, 15, 16
_SEEN_SECONDS = 90.0


def _proxy(run: Run) -> Proxy:
    kafka = kafka_of(run)
    assert isinstance(kafka, ProxiedKafka)
    return kafka.proxy


def cursors_unreadable(run: Run, strikes: int) -> None:
    """Kill the worker, and let its successor be told an error for a while whenever it asks for a cursor."""
    run.start()
    proxy = _proxy(run)
    for number in range(strikes):
        time.sleep(run.random.uniform(1, 2))
        error = (_LOADING, _NOT_AVAILABLE, _ELSEWHERE)[number % 3]
        before = proxy.struck[OFFSET_FETCH]
        run.worker.kill()
        time.sleep(0.5)
        run.struck()
        proxy.fault = partial(cursor_unreadable, error=error)
        run.worker.start()
        asked = wait_until(lambda: proxy.struck[OFFSET_FETCH] >= before + LANES, _SEEN_SECONDS)  # noqa: B023
        assert asked, f"nobody asked for a cursor: {run.worker.last_words()}"
        time.sleep(2)
        if run.worker.said("lane_taken"):
            run.wrong.append("a lane was taken without its cursor")
        proxy.fault = None
        works_again(run.worker)


def outcomes_unknown(run: Run, strikes: int) -> None:
    """Cut the connection instead of saying that a transaction has ended."""
    start_to_be_struck(run, IN_KAFKA)
    proxy = _proxy(run)
    for _ in range(strikes):
        time.sleep(run.random.uniform(1, 2))
        before = proxy.struck[END_TXN]
        strike(run, lambda: setattr(proxy, "fault", outcome_unknown))
        cut = wait_until(lambda: proxy.struck[END_TXN] > before, _SEEN_SECONDS)  # noqa: B023  called at once
        assert cut, f"no transaction ended: {run.worker.last_words()}"
        time.sleep(1)
        proxy.fault = None
    works_again(run.worker)


_UNREADABLE = partial(
    Plan,
    fault="coordinator answers with an error for a cursor",
    kind=Kind.GROUP,
    act=cursors_unreadable,
    services=proxied_services,
)
_UNKNOWN = partial(
    Plan,
    fault="outcome of a transaction unknown",
    kind=Kind.GROUP,
    act=outcomes_unknown,
    services=proxied_services,
)
MATRIX = [_UNREADABLE(strikes=6, seconds=70), _UNKNOWN(strikes=8, seconds=60)]
SHORT = [_UNREADABLE(strikes=1, seconds=30)]
