"""The example of how logs reach Loki reads what a line of the log has."""

import io
import json
import logging
import re
from pathlib import Path

import pytest
import structlog

from worker.observability.logs import configure_logging

EXAMPLE = Path(__file__).parents[3] / "deploy" / "loki" / "vigil.alloy"


@pytest.fixture
def line():
    """A line of the log as a worker writes it when nobody watches."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging("auto", "INFO", stream=stream)
    logging.getLogger("worker").info("worker_started")
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    return json.loads(stream.getvalue())


def test_every_field_that_the_example_takes_out_of_a_line_is_there(line):
    (taken,) = re.findall(r"expressions = \{(.+)\}", EXAMPLE.read_text())

    fields = re.findall(r'= "(\w+)"', taken)

    assert fields
    assert [field for field in fields if field not in line] == []
