"""The published JSON Schemas: `python -m worker.messages.schemas` writes them into worker/schemas."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import orjson
from pydantic import BaseModel

from worker.messages.announced_shapes import AlarmStateV1, AlertV1, HeartbeatV1, ProblemV1
from worker.messages.command_shapes import CommandV1
from worker.messages.shapes import ObservationSetV1

FOLDER: Final = Path(__file__).parents[1] / "schemas"

INCOMING: Mapping[str, type[BaseModel]] = {
    "vitals.readings.v1": ObservationSetV1,
    "vitals.commands.v1": CommandV1,
}
OUTGOING: Mapping[str, type[BaseModel]] = {
    "vitals.alerts.v1": AlertV1,
    "vitals.alarm-state.v1": AlarmStateV1,
    "vitals.dead-letters.v1": ProblemV1,
    "vitals.heartbeat.v1": HeartbeatV1,
}


def schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of each message type by the name of its topic."""
    return {topic: _schema(topic, model) for topic, model in (*INCOMING.items(), *OUTGOING.items())}


def text_of(schema: dict[str, Any]) -> str:
    """Return *schema* as it stands in its file."""
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def write(folder: Path = FOLDER) -> None:
    """Write every schema into *folder*."""
    for topic, schema in schemas().items():
        (folder / f"{topic}.json").write_text(text_of(schema))


def _schema(topic: str, model: type[BaseModel]) -> dict[str, Any]:
    mode: Literal["validation", "serialization"] = "validation" if topic in INCOMING else "serialization"
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:vigil:schema:{topic}",
    } | model.model_json_schema(mode=mode)


if __name__ == "__main__":
    write()
