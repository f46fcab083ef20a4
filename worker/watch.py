"""`vigil watch`: the live ward view in the terminal, read from the topics as any pager would."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from rich.console import Console
from rich.live import Live

from domain.observations import Mode
from worker.connections import client_arguments
from worker.settings import Settings
from worker.startup import Patience, connected_admin
from worker.topics import TopicNames, describe_topics, lane_count
from worker.watch_view import page, silent_lanes
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
    console: Console | None = None,
) -> None:
    """Show the ward until Ctrl-C, for *seconds*, or *once*; *wait* seconds for the broker.

    Raises OperatorError, UnreachableError.
    """
    view = WardView(mode=mode, ward=ward)
    with suppress(KeyboardInterrupt):
        asyncio.run(
            _watch(settings, view, once=once, seconds=seconds, wait=wait, console=console or Console())
        )


async def _watch(  # noqa: PLR0913  likewise
    settings: Settings, view: WardView, *, once: bool, seconds: float | None, wait: float, console: Console
) -> None:
    names = TopicNames(settings.topic_prefix)
    # Also finds out, in clear words, that there is no broker or that it refuses us.
    async with connected_admin(settings, Patience(wait)) as admin:
        lanes = lane_count(names, await describe_topics(admin, names))
    consumer = AIOKafkaConsumer(
        **client_arguments(settings), enable_auto_commit=False, isolation_level="read_committed"
    )
    try:
        await consumer.start()
        await _begin(consumer, names, lanes)
        patience = timedelta(seconds=settings.heartbeat_interval * _PATIENCE)
        screen = _Screen(view, lanes, patience, console, is_live=not once and console.is_terminal)
        reader = _Reader(consumer, _takers(view, names))
        await (_show_once(reader, screen) if once else _show(reader, screen, seconds))
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


class _Screen:
    """Where the page goes: kept up to date on a terminal, printed anew when it changed elsewhere."""

    def __init__(
        self, view: WardView, lanes: int, patience: timedelta, console: Console, *, is_live: bool
    ) -> None:
        self._view = view
        self._lanes = lanes
        self._patience = patience
        self._console = console
        self._live = Live(console=console, screen=True, auto_refresh=False) if is_live else None
        self._shown: object = None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self) -> None:
        """Bring the page up to date; where it is printed, only if there is something new in it."""
        now = datetime.now(UTC)
        content = page(self._view, lanes=self._lanes, now=now, zone=None, patience=self._patience)
        if self._live is not None:
            self._live.update(content, refresh=True)
            return
        news = (self._view.changes, silent_lanes(self._view, self._lanes, now, self._patience))
        if news != self._shown:
            self._shown = news
            self._console.print(content)
            self._console.print()


async def _show_once(reader: _Reader, screen: _Screen) -> None:
    await reader.catch_up()
    screen.show()


async def _show(reader: _Reader, screen: _Screen, seconds: float | None) -> None:
    deadline = None if seconds is None else time.monotonic() + seconds
    await reader.catch_up()
    with screen:
        while deadline is None or time.monotonic() < deadline:
            screen.show()
            await reader.read()
