import re

import orjson
import pytest
from prometheus_client import CollectorRegistry

from worker.errors import OperatorError
from worker.health import Health
from worker.http import application, bound, routes, serving


@pytest.fixture
def table():
    return routes(CollectorRegistry(), Health(), lambda: {"info": {"title": "</script><b>"}})


async def asked(table, path, method="GET"):
    sent = []

    async def send(message):
        sent.append(message)

    await application(table)({"type": "http", "path": path, "method": method}, None, send)
    return sent[0]["status"], sent[1]["body"]


async def test_the_page_needs_no_internet(table):
    status, body = await asked(table, "/asyncapi")

    assert status == 200
    assert re.findall(rb"""(?:src|href)="([^"]+)""", body) == [
        b"/static/asyncapi.css",
        b"/static/asyncapi.js",
    ]
    assert b"</script><b>" not in body


async def test_the_root_names_every_path_that_a_person_would_ask_for(table):
    status, body = await asked(table, "/")

    assert status == 200
    assert body.decode().split() == [
        path for path in table if path != "/" and not path.startswith("/static/")
    ]


async def test_the_assets_are_there(table):
    for path in ("/static/asyncapi.js", "/static/asyncapi.css"):
        status, body = await asked(table, path)
        assert status == 200
        assert len(body) > 10_000


@pytest.mark.parametrize("path", ["/asyncapi/try", "/metrics/", "/static/../settings.py"])
async def test_no_other_path_is_answered(table, path):
    assert (await asked(table, path))[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_nothing_can_be_written(table, method):
    assert (await asked(table, "/metrics", method))[0] == 404


async def test_a_worker_that_waits_is_alive_and_not_ready_and_says_for_what():
    health = Health(waiting_for="the broker at b:1")
    table = routes(CollectorRegistry(), health, dict)

    live, _ = await asked(table, "/health/live")
    ready, body = await asked(table, "/health/ready")

    assert (live, ready) == (200, 503)
    assert orjson.loads(body)["reasons"] == ["waiting for the broker at b:1"]


async def test_a_port_that_is_taken_is_an_operators_mistake(table):
    async with serving(application(table), bound("127.0.0.1", 0)) as port:
        with pytest.raises(OperatorError, match=f"port {port} of 127.0.0.1 cannot be had.*VIGIL_HTTP_PORT"):
            bound("127.0.0.1", port)
