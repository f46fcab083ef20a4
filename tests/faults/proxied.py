"""A broker behind a proxy that understands requests, and answers some of them otherwise than the broker did."""

import asyncio
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from deploy.local import Services, local_services
from deploy.local.kafka import Installation, LocalKafka
from deploy.local.processes import LOOPBACK, free_port
from deploy.local.workspace import Workspace

OFFSET_FETCH, END_TXN = 9, 26
_OLD_OFFSET_FETCH = 3  # aiokafka's; the newer ones, of other form, are the checker's
_HEADER = struct.Struct(">hhi")
_SIZE = struct.Struct(">i")


@dataclass(slots=True)
class Proxy:
    """Hands on every byte, but *fault* may change an answer; None cuts the connection instead of answering."""

    port: int
    broker_port: int
    fault: "Callable[[Request, bytes], bytes | None] | None" = None
    struck: Counter[int] = field(
        default_factory=Counter
    )  # answers changed or cut off, by the kind of request

    async def serve(self, has_ended: asyncio.Event) -> None:
        async with await asyncio.start_server(self._converse, LOOPBACK, self.port):
            await has_ended.wait()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked: dict[int, Request] = {}
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            from_broker, to_broker = await asyncio.open_connection(LOOPBACK, self.broker_port)
            ways = [
                asyncio.create_task(self._requests(reader, to_broker, asked)),
                asyncio.create_task(self._answers(from_broker, writer, asked)),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            to_broker.close()
        writer.close()

    async def _requests(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: "dict[int, Request]"
    ) -> None:
        while True:
            frame = await _frame(reader)
            kind, version, number = _HEADER.unpack_from(frame)
            asked[number] = Request(kind, version, frame)
            writer.write(_SIZE.pack(len(frame)) + frame)
            await writer.drain()

    async def _answers(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: "dict[int, Request]"
    ) -> None:
        while True:
            frame = await _frame(reader)
            request = asked.pop(_SIZE.unpack_from(frame)[0], None)
            if request is not None and self.fault is not None:
                changed = self.fault(request, frame)
                if changed != frame:
                    self.struck[request.kind] += 1
                if changed is None:
                    return
                frame = changed
            writer.write(_SIZE.pack(len(frame)) + frame)
            await writer.drain()


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked, by Kafka's numbers."""

    kind: int
    version: int
    frame: bytes


def cursor_unreadable(request: Request, answer: bytes, *, error: int) -> bytes:
    """Say *error*, and of no partition anything, to whoever asks for a lane's cursor."""
    is_asked = request.kind == OFFSET_FETCH and request.version <= _OLD_OFFSET_FETCH
    if not is_asked or b".published" not in request.frame:
        return answer
    throttled = b"\0\0\0\0" if request.version == _OLD_OFFSET_FETCH else b""
    return answer[:4] + throttled + b"\0\0\0\0" + struct.pack(">h", error)


def outcome_unknown(request: Request, answer: bytes) -> bytes | None:
    """Let a transaction end, and nobody hear of it."""
    return None if request.kind == END_TXN else answer


async def _frame(reader: asyncio.StreamReader) -> bytes:
    (size,) = _SIZE.unpack(await reader.readexactly(_SIZE.size))
    return await reader.readexactly(size)


class ProxiedKafka(LocalKafka):
    """A broker that tells everybody the proxy's address for its own."""

    proxy: Proxy

    @property
    def bootstrap_servers(self) -> str:
        return f"{LOOPBACK}:{self.proxy.port}"

    def settings(self) -> dict[str, str]:
        return {**super().settings(), "advertised.listeners": f"PLAINTEXT://{self.bootstrap_servers}"}


@contextmanager
def proxied_services() -> Iterator[Services]:
    """A broker behind a proxy, and a database."""
    with local_services(kafka=False) as services, Workspace() as workspace:
        kafka = ProxiedKafka(workspace, Installation.find(print))
        kafka.proxy = Proxy(free_port(), kafka.port)
        with _serving(kafka.proxy):
            kafka.start()
            yield Services(kafka, services.postgres)


@contextmanager
def _serving(proxy: Proxy) -> Iterator[None]:
    loop, has_ended = asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(proxy.serve(has_ended),), name="proxy")
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(has_ended.set)
        thread.join()
