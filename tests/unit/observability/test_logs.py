import io
import json
import logging
from datetime import datetime

import pytest
import structlog

from worker.observability.log_privacy import FORBIDDEN_KEYS
from worker.observability.logs import configure_logging

PATIENT = "P-0042-SECRET"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def lines():
    """Configure JSON logs; gives a function that reads what was written."""
    stream = io.StringIO()
    configure_logging("json", "INFO", stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.contextvars.clear_contextvars()


@pytest.fixture(autouse=True)
def _logging_as_it_was():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_line_says_when_in_utc_how_grave_who_and_what(lines):
    structlog.get_logger("worker.pipeline").info("batch_handled", readings=42)

    [line] = lines()
    assert line["event"] == "batch_handled"
    assert line["level"] == "info"
    assert line["logger"] == "worker.pipeline"
    assert line["readings"] == 42
    assert line["timestamp"].endswith("Z")
    assert datetime.fromisoformat(line["timestamp"]).utcoffset().total_seconds() == 0


def test_the_correlation_id_is_in_every_line_of_its_context_and_in_a_librarys(lines):
    with structlog.contextvars.bound_contextvars(correlation_id="c-1"):
        structlog.get_logger().info("reading_stored")
        logging.getLogger("uvicorn.error").warning("closing")
    structlog.get_logger().info("idle")

    assert [line.get("correlation_id") for line in lines()] == ["c-1", "c-1", None]


@pytest.mark.parametrize(
    "name", ["aiokafka.consumer", "uvicorn", "uvicorn.error", "sqlalchemy.engine", "faststream"]
)
def test_a_librarys_line_has_the_same_shape(lines, name):
    logging.getLogger(name).warning("lost %s of %d", "one", 3)

    [line] = lines()
    assert line["event"] == "lost one of 3"
    assert line["level"] == "warning"
    assert line["logger"] == name


def test_what_faststream_nests_under_extra_is_lifted(lines):
    structlog.get_logger("faststream").log(
        logging.INFO, "Received", extra={"topic": "t", "event": "no"}, exc_info=None
    )

    [line] = lines()
    assert (line["event"], line["topic"]) == ("Received", "t")
    assert "extra" not in line


def test_the_extra_of_a_standard_line_is_kept(lines):
    logging.getLogger("uvicorn.error").warning("slow", extra={"partition": 3, "patient_id": PATIENT})

    [line] = lines()
    assert line["partition"] == 3
    assert PATIENT not in json.dumps(line)


@pytest.mark.parametrize("name", sorted(FORBIDDEN_KEYS))
def test_a_dangerous_field_never_leaves(lines, name):
    structlog.get_logger().info("slip", **{name.upper(): PATIENT, "count": 1})
    structlog.get_logger().info("deep_slip", outer={"inner": [{name: PATIENT}]})
    structlog.get_logger().info("nested_slip", extra={name: PATIENT})

    assert PATIENT not in json.dumps(lines())
    assert [line["dropped_fields"] for line in lines()] == [[name.upper()], [name], [name]]
    assert lines()[0]["count"] == 1


def test_every_line_of_one_process_of_several_says_which_it_is():
    stream = io.StringIO()
    configure_logging("json", "INFO", stream=stream, process=2)

    structlog.get_logger().info("reading_stored")
    logging.getLogger("uvicorn.error").warning("closing")

    assert [json.loads(line)["process"] for line in stream.getvalue().splitlines()] == [2, 2]


def test_bytes_are_told_by_their_length_only(lines):
    structlog.get_logger().info("odd", blob=PATIENT.encode())

    assert lines()[0]["blob"] == f"<{len(PATIENT)} bytes>"


def test_a_traceback_shows_frames_and_neither_locals_nor_a_strangers_words(lines):
    def fail():
        patient = PATIENT
        raise ValueError(f"cannot use {patient}")

    try:
        fail()
    except ValueError:
        structlog.get_logger().exception("batch_failed")

    [line] = lines()
    [error] = line["exception"]
    assert error["type"] == "builtins.ValueError"
    assert error["frames"][-1].endswith(" fail")
    assert PATIENT not in json.dumps(line)


def test_a_strangers_words_are_taken_out_of_the_event_as_well(lines):
    error = KeyError(PATIENT)

    structlog.get_logger("faststream").log(logging.ERROR, f"KeyError: {error}", exc_info=error)

    [line] = lines()
    assert line["event"] == "KeyError: …"


def test_the_cause_is_told_too_and_our_own_words_stay(lines):
    class LostClaimError(Exception):
        __module__ = "persistence.errors"

    try:
        try:
            raise ConnectionRefusedError("port 5432")
        except OSError as refused:
            raise LostClaimError("partition 3 of readings is held by another worker") from refused
    except LostClaimError:
        structlog.get_logger().exception("batch_given_up")

    words = [error["words"] for error in lines()[0]["exception"]]
    assert words == ["partition 3 of readings is held by another worker", "port 5432"]


def test_the_members_of_an_exception_group_are_told(lines):
    group = ExceptionGroup("two", [OSError("one"), OSError("other")])

    structlog.get_logger().error("tasks_failed", exc_info=group)

    assert [error["type"].split(".")[-1] for error in lines()[0]["exception"]] == [
        "ExceptionGroup",
        "OSError",
        "OSError",
    ]


def test_a_level_below_the_one_asked_for_is_not_written(lines):
    structlog.get_logger().debug("poll_finished")
    logging.getLogger("aiokafka").info("heartbeat")

    assert lines() == []


@pytest.mark.parametrize(
    ("stream", "is_json"), [(io.StringIO(), True), (Terminal(), False)], ids=["pipe", "terminal"]
)
def test_auto_is_json_in_a_pipe_and_for_people_on_a_terminal(stream, is_json):
    configure_logging("auto", "INFO", stream=stream)

    structlog.get_logger().info("worker_started", lanes=6)

    assert stream.getvalue().startswith("{") is is_json
    assert "worker_started" in stream.getvalue()


def test_a_terminal_sees_a_traceback_in_lines():
    stream = io.StringIO()
    configure_logging("console", "INFO", stream=stream)

    structlog.get_logger().error("failed", exc_info=OSError("port 5432"))

    assert "builtins.OSError: port 5432" in stream.getvalue().splitlines()


def test_an_unknown_format_is_refused():
    with pytest.raises(ValueError, match="log format must be one of auto, json, console, not yaml"):
        configure_logging("yaml", "INFO")
