"""Dead letters sent to their input topic again: noted before, sent, noted after, so that a kill loses and doubles nothing."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from sqlalchemy.ext.asyncio import AsyncEngine

from persistence.dead_letter_search import FoundLetter, Place
from persistence.errors import is_transient
from persistence.replays import SENT, TOO_LARGE, Attempt
from persistence.unit_of_work import unit_of_work
from worker.dead_letters.lines import Content
from worker.dead_letters.log_search import found_in_log
from worker.dead_letters.rounds import Origin, headers_of_next_round
from worker.dead_letters.sources import Source
from worker.errors import OperatorError, UnreachableError
from worker.internals import discard

_AT_ONCE = 100  # records between two notes: what is in doubt after a kill
_SEND_SECONDS = 5.0
_IN_DOUBT_SECONDS = 8.0  # after which whoever sent it has given up, or is no more
_LOOK_SECONDS = 0.5
_FRAMING = 24  # bytes around a header or a record, at most
_LARGEST_REQUEST = 64 * 2**20  # the broker decides how large a record may be

Progress = Callable[[int], None]


@dataclass(slots=True)
class Replay:
    """Sends what was asked for, until nothing is left; made anew after a kill it goes on where that one was."""

    engine: AsyncEngine
    connection: Mapping[str, Any]
    source: Source
    largest: Mapping[str, int]  # bytes that a record of a topic may have
    rate: float  # records a second
    progress: Progress = lambda _: None
    sent: int = field(default=0, init=False)
    too_large: int = field(default=0, init=False)

    async def run(self) -> None:
        """Send everything that is noted. Raises UnreachableError: then what is left is still noted."""
        try:
            async with _producing(self.connection) as producer:
                while True:
                    await self._send_what_waits(producer)
                    if not await self._settle():
                        return
        except (KafkaError, TimeoutError) as error:
            raise _cut_off("broker", error) from error
        except Exception as error:
            if is_transient(error):
                raise _cut_off("database", error) from error
            raise

    async def _send_what_waits(self, producer: AIOKafkaProducer) -> None:
        limit = max(1, min(_AT_ONCE, int(self.rate)))
        while True:
            began = time.monotonic()
            async with unit_of_work(self.engine) as work:
                attempts = await work.replays.take(limit)
            if not attempts:
                return
            await self._send(producer, attempts)
            await asyncio.sleep(began + len(attempts) / self.rate - time.monotonic())

    async def _send(self, producer: AIOKafkaProducer, attempts: Sequence[Attempt]) -> None:
        contents = await self._contents(attempts)
        too_large = [each for each in contents if _size(each) > self.largest[each.place.topic]]
        fitting = [each for each in contents if each not in too_large]
        async with asyncio.timeout(_SEND_SECONDS):
            acknowledged = [await _send_one(producer, each) for each in fitting]
            await asyncio.gather(*acknowledged)
        await self._end(fitting, too_large)

    async def _contents(self, attempts: Sequence[Attempt]) -> list[Content]:
        """What is to be sent, with the headers of its next round."""
        letters = await stored_at(self.engine, [attempt.place for attempt in attempts])
        return [self._content(letters[attempt.place], attempt) for attempt in attempts]

    def _content(self, letter: FoundLetter, attempt: Attempt) -> Content:
        content = self.source(letter)
        origin = Origin(letter.place, letter.received_at, letter.correlation_id)
        return content._replace(headers=headers_of_next_round(content.headers, origin, attempt.replay_id))

    async def _end(self, sent: Sequence[Content], too_large: Sequence[Content]) -> None:
        async with unit_of_work(self.engine) as work:
            await work.replays.end([each.place for each in sent], SENT)
            await work.replays.end([each.place for each in too_large], TOO_LARGE)
        self.sent += len(sent)
        self.too_large += len(too_large)
        self.progress(len(sent) + len(too_large))

    async def _settle(self) -> bool:
        """Find out what became of what a replay that was cut off had taken; False if there is none of it."""
        async with unit_of_work(self.engine) as work:
            doubted = await work.replays.in_doubt()
        old = [each for each in doubted if each.age.total_seconds() >= _IN_DOUBT_SECONDS]
        if not old:
            await asyncio.sleep(_LOOK_SECONDS if doubted else 0)
            return bool(doubted)
        there = await found_in_log(self.connection, old)
        in_log = [each.place for each in old if each.replay_id in there]
        async with unit_of_work(self.engine) as work:
            await work.replays.end(in_log, SENT)
            await work.replays.give_back([each for each in old if each.replay_id not in there])
        self.sent += len(in_log)
        self.progress(len(in_log))
        return True


async def stored_at(engine: AsyncEngine, places: Sequence[Place]) -> dict[Place, FoundLetter]:
    """Return the dead letters at *places*. Raises OperatorError for one that is not stored here."""
    async with unit_of_work(engine) as work:
        found = await work.dead_letter_search.at(places)
    for place in places:
        if place not in found:
            raise OperatorError(f"{place.path} is no dead letter of this Vigil: it cannot be replayed")
    return found


@asynccontextmanager
async def _producing(connection: Mapping[str, Any]) -> AsyncIterator[AIOKafkaProducer]:
    """Lend a producer; what it still holds when the block ends with an error is not sent any more."""
    producer = AIOKafkaProducer(
        **connection, enable_idempotence=True, acks="all", linger_ms=2, max_request_size=_LARGEST_REQUEST
    )
    try:
        await producer.start()
        yield producer
    finally:
        await discard(producer)


async def _send_one(producer: AIOKafkaProducer, content: Content) -> asyncio.Future[object]:
    """Send it to the partition it came on, whatever its key: that is where its neighbours are."""
    topic, partition, _ = content.place
    headers = list(content.headers)
    acknowledged: asyncio.Future[object]
    if content.key is None and content.value is None:  # `send` refuses what Kafka allows
        batch = producer.create_batch()
        batch.append(timestamp=None, key=None, value=None, headers=headers)
        acknowledged = await producer.send_batch(batch, topic, partition=partition)
    else:
        acknowledged = await producer.send(
            topic, content.value, key=content.key, partition=partition, headers=headers
        )
    return acknowledged


def _size(content: Content) -> int:
    headers = sum(len(name.encode()) + len(value or b"") + _FRAMING for name, value in content.headers)
    return len(content.key or b"") + len(content.value or b"") + headers + 4 * _FRAMING


def _cut_off(what: str, error: BaseException) -> UnreachableError:
    return UnreachableError(
        f"the {what} gave no answer any more ({type(error).__name__}); what was sent is noted: run the same command again"
    )
