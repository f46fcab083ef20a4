"""`vigil watch`: the live ward view in the terminal, read from the topics as any pager would."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from aiokafka import AIOKafkaConsumer, TopicPartition
from rich.console import Console

from domain.observations import Mode
from worker.connections import client_arguments
from worker.errors import OperatorError
from worker.settings import Settings
from worker.startup import Patience, connected_admin
from worker.topic_reading import Take, TopicReader, begin_with_last, client_kept_quiet
from worker.topics import TopicNames, describe_topics, fewest_partitions, lane_count
from worker.watch_heading import PATIENCE, Expected
from worker.watch_screen import Screen
from worker.watch_ward import WardView

_LOOK_BACK = timedelta(hours=12)  # demo and test alarms have no compacted topic: their alerts are read again


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
    with suppress(KeyboardInterrupt), client_kept_quiet():
        asyncio.run(_watch(settings, view, screen, once=once, seconds=seconds, wait=wait))


async def _watch(  # noqa: PLR0913  likewise
    settings: Settings, view: WardView, screen: Screen, *, once: bool, seconds: float | None, wait: float
) -> None:
    names = TopicNames(settings.topic_prefix)
    # Also finds out, in clear words, that there is no broker or that it refuses us.
    async with connected_admin(settings, Patience(wait)) as admin:
        states = await describe_topics(admin, names)
        lanes = lane_count(names, states, fewest_partitions(names, states))
    expected = Expected(lanes, timedelta(seconds=settings.heartbeat_interval * PATIENCE))
    consumer = AIOKafkaConsumer(
        **client_arguments(settings), enable_auto_commit=False, isolation_level="read_committed"
    )
    try:
        await consumer.start()
        await _begin(consumer, names, lanes)
        reader = TopicReader(consumer, _takers(view, names))
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
    await begin_with_last(consumer, beats, ends)


def _takers(view: WardView, names: TopicNames) -> Mapping[str, Take]:
    return {
        names.alarm_state: view.take_alarm_state,
        names.alerts: view.take_alert,
        names.alerts_test: view.take_alert,
        names.heartbeat: view.take_heartbeat,
    }


async def _show_once(reader: TopicReader, screen: Screen, expected: Expected) -> None:
    await reader.catch_up()
    screen.show(expected)


async def _show(reader: TopicReader, screen: Screen, expected: Expected, seconds: float | None) -> None:
    deadline = None if seconds is None else time.monotonic() + seconds
    await reader.catch_up()
    with screen:
        while deadline is None or time.monotonic() < deadline:
            screen.show(expected)
            await reader.read()
