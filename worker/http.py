"""The worker's one HTTP port: metrics, health, and the AsyncAPI document with assets of our own."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from typing import Any

import orjson
import uvicorn
from prometheus_client import CollectorRegistry, generate_latest

from worker.errors import OperatorError
from worker.health import Health

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_JSON = "application/json"
_PATHS = b"/metrics\n/health/live\n/health/ready\n/asyncapi\n/asyncapi.json\n/asyncapi.yaml\n"
_STOP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a route answers with."""

    body: bytes
    content_type: str
    status: int = 200

    @property
    def is_good(self) -> bool:
        """Whether it is what was asked for."""
        return self.status == 200  # noqa: PLR2004


Route = Callable[[], Answer | Awaitable[Answer]]


def routes(
    registry: CollectorRegistry, health: Health, document: Callable[[], Mapping[str, Any]]
) -> dict[str, Route]:
    """Every path there is; nothing can be written through any of them."""
    return {
        "/": paths_there_are,
        "/metrics": lambda: Answer(generate_latest(registry), METRICS_TYPE),
        "/health/live": lambda: health_answer({"alive": health.is_alive}, is_good=health.is_alive),
        "/health/ready": lambda: health_answer(health.report(), is_good=not health.reasons()),
        "/asyncapi": partial(_page, document),
        "/asyncapi.json": lambda: Answer(orjson.dumps(document()), _JSON),
        "/asyncapi.yaml": partial(_yaml, document),
        "/static/asyncapi.js": partial(_asset, "asyncapi.js", "text/javascript; charset=utf-8"),
        "/static/asyncapi.css": partial(_asset, "asyncapi.css", "text/css; charset=utf-8"),
    }


def paths_there_are() -> Answer:
    """Answer whoever asks for no path."""
    return Answer(_PATHS, "text/plain; charset=utf-8")


def health_answer(report: Mapping[str, object], *, is_good: bool) -> Answer:
    """Answer a probe: with *report* for a person, with the status for whoever does not read."""
    return Answer(orjson.dumps(report), _JSON, 200 if is_good else 503)


def _asset(name: str, content_type: str) -> Answer:
    return Answer(files("worker").joinpath("static", name).read_bytes(), content_type)


def _yaml(document: Callable[[], Mapping[str, Any]]) -> Answer:
    """YAML 1.2 holds JSON, so the document is written as such, a little easier on the eye."""
    return Answer(orjson.dumps(document(), option=orjson.OPT_INDENT_2), "application/yaml")


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Vigil: what it reads and writes</title>
<link rel="stylesheet" href="/static/asyncapi.css">
</head>
<body>
<div id="asyncapi"></div>
<script src="/static/asyncapi.js"></script>
<script>
AsyncApiStandalone.render(
  {schema: %s, config: {show: {sidebar: true}, expand: {messageExamples: true}}},
  document.getElementById("asyncapi"));
</script>
</body>
</html>
"""


def _page(document: Callable[[], Mapping[str, Any]]) -> Answer:
    schema = orjson.dumps(document()).replace(b"</", b"<\\/")  # it stands inside a script element
    return Answer(_PAGE.encode().replace(b"%s", schema), "text/html; charset=utf-8")


def application(table: Mapping[str, Route]) -> Callable[..., Any]:
    """The ASGI application that answers *table*'s paths and no others."""

    async def answer(scope: Mapping[str, Any], _receive: Any, send: Any) -> None:  # noqa: ANN401
        route = table.get(scope["path"]) if scope["method"] in ("GET", "HEAD") else None
        given = route() if route is not None else Answer(b"not found\n", "text/plain", 404)
        reply = given if isinstance(given, Answer) else await given
        headers = [
            (b"content-type", reply.content_type.encode()),
            (b"content-length", str(len(reply.body)).encode()),
        ]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else reply.body})

    return answer


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers: who ends the worker is decided in one place."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: Callable[..., Any], listening: socket.socket) -> AsyncIterator[int]:
    """Serve *app* while the block runs; yields the port, which is given back at the end."""
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        ws="none",
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]), name="http")
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        await asyncio.wait([task], timeout=_STOP_SECONDS)
        task.cancel()
        await asyncio.wait([task])
        listening.close()


def bound(host: str, port: int) -> socket.socket:
    """Take *port*, 0 for any that is free. Raises OperatorError if it cannot be had."""
    listening = None
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen()  # at once: two that are only bound do not notice each other
    except OSError as error:
        if listening is not None:
            listening.close()
        raise OperatorError(
            f"port {port} of {host} cannot be had ({error.strerror}); set VIGIL_HTTP_PORT or VIGIL_HTTP_HOST"
        ) from None
    return listening
