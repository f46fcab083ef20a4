"""The AsyncAPI document: all that a producer or a pager must know, generated from the models of the messages."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from faststream.kafka import KafkaBroker
from faststream.specification import AsyncAPI
from pydantic import BaseModel

from worker.messages.schemas import INCOMING, OUTGOING
from worker.settings import Settings
from worker.topics import TopicNames, wanted_config

_BINDING = "0.5.0"
_ABOUT = """\
Vigil reads vital signs and commands from Kafka, and publishes an alert when a patient needs someone.

To send a reading: produce a JSON value of the schema below to the readings topic, keyed by patient_id. Nothing \
else is needed; headers are optional. Real data pages people: set "mode" to "test" while trying things out, which is \
answered on the alerts.test topic.

Whatever is published is written in Kafka transactions: read it with isolation.level=read_committed."""


@dataclass(frozen=True, slots=True)
class _Topic:
    """What is said of a topic beside its schema."""

    summary: str
    key: str
    headers: Mapping[str, str]  # name: what it holds
    is_keyed_by_uuid: bool = False


_CORRELATION = (
    "A UUID that goes into every log line, stored reading, alert and dead letter; made if it is missing."
)
_OPTIONAL = {
    "correlation_id": _CORRELATION,
    "vigil-received-at": "For data that is not real: when it was received, as RFC 3339 or milliseconds since 1970.",
}
_SEQUENCE = (
    "The record's number in its lane (partition): without a gap, so that a reader can prove it lost nothing."
)
_CLOUD_EVENT = {
    "ce_specversion": "1.0",
    "ce_id": "The alert's id; the same alert always has the same.",
    "ce_source": "/vigil/<site>",
    "ce_type": "org.vigil.vitals.alert.<phase>.v1",
    "ce_time": "When it was decided, RFC 3339.",
    "ce_subject": "<patient>/<vital sign>",
    "ce_sequence": _SEQUENCE,
    "ce_severitytext": "WARN, ERROR or FATAL",
    "ce_severitynumber": "13, 17 or 21",
    "correlation_id": "That of the record which led to the alert.",
}
_ALERTS = _Topic(
    "What pagers read: each record one announcement about one alarm.", "patient_id, or the ward", _CLOUD_EVENT
)
_TOPICS = {
    "readings": _Topic(
        "Observation sets from equipment: one device, one patient, one instant, one or more values.",
        "patient_id in UTF-8; the partition is best chosen as the Java client does (murmur2), but need not be",
        _OPTIONAL,
    ),
    "commands": _Topic("What staff and the registry say of a patient.", "patient_id in UTF-8", _OPTIONAL),
    "alerts": _ALERTS,
    "alerts_test": _Topic(
        "Alerts about test and demo data; they never page anyone.", _ALERTS.key, _ALERTS.headers
    ),
    "alarm_state": _Topic(
        "The present state of every alarm (compacted); a record without a value says that it is over.",
        "alarm_id",
        {"ce_sequence": _SEQUENCE, "alert_id": "The alert that led to this state."},
        is_keyed_by_uuid=True,
    ),
    "dead_letters": _Topic(
        "What could not be used: key, value and headers as they came, and why in headers of ours.",
        "that of the original record",
        {
            "dlq-original-topic": "Where it came from.",
            "dlq-original-partition": "Where it came from.",
            "dlq-original-offset": "Where it came from.",
            "dlq-stage": "transport, decode, schema, semantic, persist or evaluate",
            "dlq-exception-class": "The reason, a word of a closed list.",
            "dlq-errors": "JSON: where (loc) and what (code), never a value.",
            "dlq-problem": "JSON: the problem (RFC 9457), of the schema below; never a value.",
            "dlq-attempts": "How often it failed, this time included.",
            "dlq-replay-count": "How often it was sent to its input topic again before this failure.",
            "dlq-position": "Which reading of the set, from 1; 0 for the whole record.",
            "ce_sequence": _SEQUENCE,
        },
    ),
    "heartbeat": _Topic(
        "A sign of life of each lane every few seconds; its absence means that alerts may be missing.",
        "the lane's number",
        {"content-type": "application/json"},
    ),
}


def document(settings: Settings, *, lanes: int, version: str) -> dict[str, Any]:
    """The document for this installation, as JSON."""
    names = TopicNames(settings.topic_prefix)
    specification = AsyncAPI(
        _described(settings, names),
        title="Vigil",
        version=version,
        description=_ABOUT,
        license={"name": "Apache-2.0"},
    )
    generated: dict[str, Any] = specification.to_specification().to_jsonable()
    for role, topic in _TOPICS.items():
        _complete(generated, role, getattr(names, role), topic, names=names, settings=settings, lanes=lanes)
    return _in_order(generated)


def _in_order(generated: dict[str, Any]) -> dict[str, Any]:
    """The document in one order, whatever order FastStream kept its channels in."""
    for part in ("channels", "operations"):
        generated[part] = {role: generated[part][role] for role in _TOPICS}
    components = generated["components"]
    roles = list(_TOPICS)
    messages = sorted(
        components["messages"].items(), key=lambda named: roles.index(named[0].partition(":")[0])
    )
    components["messages"] = dict(messages)
    components["schemas"] = dict(sorted(components["schemas"].items()))
    return generated


def _described(settings: Settings, names: TopicNames) -> KafkaBroker:
    """A broker that is never started: FastStream reads the channels, operations and payloads off it."""
    broker = KafkaBroker(settings.kafka_bootstrap_servers.split(","))
    models = {**INCOMING, **OUTGOING, "vitals.alerts.test.v1": OUTGOING["vitals.alerts.v1"]}
    for role, about in _TOPICS.items():
        name = getattr(names, role)
        model = models[name.removeprefix(names.prefix)]
        if name in names.inputs:
            subscriber = broker.subscriber(name, title=role, description=about.summary, no_reply=True)
            subscriber(_handler_of(model))
        else:
            broker.publisher(name, title=role, description=about.summary, schema=model)
    return broker


def _handler_of(model: type[BaseModel]) -> Callable[..., Awaitable[None]]:
    async def handle(message: BaseModel) -> None:
        """Stand for what is read, so that its payload is described."""

    handle.__annotations__ = {"message": model, "return": None}
    return handle


def _complete(  # noqa: PLR0913
    generated: dict[str, Any],
    role: str,
    name: str,
    about: _Topic,
    *,
    names: TopicNames,
    settings: Settings,
    lanes: int,
) -> None:
    """Add what FastStream does not know: key, headers, partitions, configuration."""
    config = wanted_config(names, name, settings.replication_factor)
    generated["channels"][role]["bindings"] = {
        "kafka": {
            "topic": name,
            "partitions": lanes,
            "replicas": settings.replication_factor,
            "topicConfiguration": {"cleanup.policy": [config["cleanup.policy"]]},
            "bindingVersion": _BINDING,
        }
    }
    key = {"type": "string", "description": about.key} | (
        {"format": "uuid"} if about.is_keyed_by_uuid else {}
    )
    for message in _messages_of(generated, role):
        message["summary"] = about.summary
        message["contentType"] = "application/json"
        message["headers"] = {
            "type": "object",
            "properties": {
                header: {"type": "string", "description": said} for header, said in about.headers.items()
            },
        }
        message["bindings"] = {"kafka": {"key": key, "bindingVersion": _BINDING}}
        if role == "dead_letters":
            _say_where_the_problem_is(message)
        examples = _examples(generated, message)
        if examples:
            message["examples"] = [{"payload": example} for example in examples]


def _say_where_the_problem_is(message: dict[str, Any]) -> None:
    """A dead letter's value is the original's, whatever that was; the model describes one of its headers."""
    problem = {"contentMediaType": "application/json", "contentSchema": message["payload"]}
    message["headers"]["properties"]["dlq-problem"].update(problem)
    message["payload"] = {"description": "The original record's value, byte for byte."}
    message["contentType"] = "application/octet-stream"


def _messages_of(generated: dict[str, Any], role: str) -> list[dict[str, Any]]:
    messages = generated["components"]["messages"]
    return [message for name, message in messages.items() if name.startswith(f"{role}:")]


def _examples(generated: dict[str, Any], message: dict[str, Any]) -> list[Any]:
    reference: str = message["payload"].get("$ref", "")
    schema = generated["components"]["schemas"].get(reference.rpartition("/")[2], {})
    examples: list[Any] = schema.get("examples", [])
    return examples
