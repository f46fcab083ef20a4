"""`vigil watch`: the live ward view in the terminal, read from the topics as any pager would."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from rich.console import Console

from domain.observations import Mode
from worker.connections import client_arguments
from worker.errors import OperatorError
from worker.settings import Settings
from worker.startup import Patience, connected_admin
from worker.topics import TopicNames, describe_topics, fewest_partitions, lane_count
from worker.watch_heading import Expected
from worker.watch_screen import Screen
from worker.watch_ward import Arrival, WardView

_PATIENCE = 3  # heartbeats that may be missing before a lane counts as silent
_LOOK_BACK = timedelta(hours=12)  # demo and test alarms have no compacted topic: their alerts are read again
_LAST_HEARTBEATS = 30  # offsets from the end: a transaction's marks take some of them
_POLL_MS = 500
_MAX_RECORDS = 5000
_IDLE_POLLS = 2  # polls without a record: what is left before the end are a transaction's marks
_CATCH_UP_SECONDS = 30.0

Take = Callable[[Arrival], None]


def watch(  # noqa: PLR0913  the command's options
    settings: Settings,
    *,
    mode: Mode | None = None,
    ward: str | None = None,
    once: bool = False,
    seconds: float | None = None,
    wait: float = 10.0,
    notes: Sequence[str] = (),
    console: Console | None = None,
) -> None:
    """Show the ward until Ctrl-C, for *seconds*, or *once*; *wait* seconds for the broker; *notes* stand below it.

    Raises OperatorError, UnreachableError.
    """
    if seconds is not None and seconds <= 0:
        raise OperatorError(f"--seconds must be more than 0, not {seconds:g}; to look once there is --once")
    view = WardView(mode=mode, ward=ward)
    screen = Screen(view, console or Console(), notes, is_once=once)
    with suppress(KeyboardInterrupt), _client_kept_quiet():
        asyncio.run(_watch(settings, view, screen, once=once, seconds=seconds, wait=wait))


@contextmanager
def _client_kept_quiet() -> Iterator[None]:
    """Keep the client's own words off the screen: what matters of them is told in one line, or by the page."""
    logger = logging.getLogger("aiokafka")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


async def _watch(  # noqa: PLR0913  likewise
    settings: Settings, view: WardView, screen: Screen, *, once: bool, seconds: float | None, wait: float
) -> None:
    names = TopicNames(settings.topic_prefix)
    # Also finds out, in clear words, that there is no broker or that it refuses us.
    async with connected_admin(settings, Patience(wait)) as admin:
        states = await describe_topics(admin, names)
        lanes = lane_count(names, states, fewest_partitions(names, states))
    expected = Expected(lanes, timedelta(seconds=settings.heartbeat_interval * _PATIENCE))
    consumer = AIOKafkaConsumer(
        **client_arguments(settings), enable_auto_commit=False, isolation_level="read_committed"
    )
    try:
        await consumer.start()
        await _begin(consumer, names, lanes)
        reader = _Reader(consumer, _takers(view, names))
        await (_show_once(reader, screen, expected) if once else _show(reader, screen, expected, seconds))
    finally:
        await consumer.stop()


async def _begin(consumer: AIOKafkaConsumer, names: TopicNames, lanes: int) -> None:
    """Let each topic be read from where it must be: states from the start, alerts of late, the last heartbeats."""
    states, alerts, beats = (
        [TopicPartition(topic, lane) for topic in topics for lane in range(lanes)]
        for topics in ((names.alarm_state,), (names.alerts, names.alerts_test), (names.heartbeat,))
    )
    consumer.assign([*states, *alerts, *beats])
    ends = await consumer.end_offsets([*alerts, *beats])
    since_ms = int((datetime.now(UTC) - _LOOK_BACK).timestamp() * 1000)
    recent = await consumer.offsets_for_times(dict.fromkeys(alerts, since_ms))
    await consumer.seek_to_beginning(*states)
    for partition in alerts:
        found = recent[partition]
        consumer.seek(partition, ends[partition] if found is None else found.offset)
    for partition, beginning in (await consumer.beginning_offsets(beats)).items():
        consumer.seek(partition, max(beginning, ends[partition] - _LAST_HEARTBEATS))


def _takers(view: WardView, names: TopicNames) -> Mapping[str, Take]:
    return {
        names.alarm_state: view.take_alarm_state,
        names.alerts: view.take_alert,
        names.alerts_test: view.take_alert,
        names.heartbeat: view.take_heartbeat,
    }


class _Reader:
    """Reads what is new and hands it to the view."""

    def __init__(self, consumer: AIOKafkaConsumer, takers: Mapping[str, Take]) -> None:
        self._consumer = consumer
        self._takers = takers

    async def read(self) -> bool:
        """Take in what has come, waiting half a second at most; False if nothing has."""
        batches = await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=_MAX_RECORDS)
        for partition, records in batches.items():
            for record in records:
                self._takers[partition.topic](_arrival(record))
        return bool(batches)

    async def catch_up(self) -> None:
        """Read all that is in the topics by now, so that no half of the past is shown as the present."""
        ends = await self._consumer.end_offsets(self._consumer.assignment())
        deadline = time.monotonic() + _CATCH_UP_SECONDS
        idle = 0
        while idle < _IDLE_POLLS and time.monotonic() < deadline and await self._is_before(ends):
            idle = 0 if await self.read() else idle + 1

    async def _is_before(self, ends: Mapping[TopicPartition, int]) -> bool:
        return any([await self._consumer.position(partition) < end for partition, end in ends.items()])


def _arrival(record: Any) -> Arrival:  # noqa: ANN401  aiokafka's record, whose types are its own
    headers = dict(record.headers)
    sequence = headers.get("ce_sequence") or b""
    return Arrival(
        key=record.key,
        value=record.value,
        sequence=int(sequence) if sequence.isdigit() else 0,
        at=datetime.fromtimestamp(record.timestamp / 1000, UTC),
    )


async def _show_once(reader: _Reader, screen: Screen, expected: Expected) -> None:
    await reader.catch_up()
    screen.show(expected)


async def _show(reader: _Reader, screen: Screen, expected: Expected, seconds: float | None) -> None:
    deadline = None if seconds is None else time.monotonic() + seconds
    await reader.catch_up()
    with screen:
        while deadline is None or time.monotonic() < deadline:
            screen.show(expected)
            await reader.read()
