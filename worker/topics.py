"""The topics Vigil reads and writes: their names, how they are made, and whether they are as they must be."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from worker.errors import OperatorError

_DAY_MS = 24 * 3600 * 1000
RETENTION = {"in": 14 * _DAY_MS, "alerts": 400 * _DAY_MS, "heartbeat": _DAY_MS}
_HEARD_SECONDS = 20.0
_TIME_TYPE = "message.timestamp.type"
_REPLICAS_FOR_TWO_IN_SYNC = 3
_IN_SYNC, _UNCLEAN = "min.insync.replicas", "unclean.leader.election.enable"


@dataclass(frozen=True, slots=True)
class TopicNames:
    """What the topics are called; *prefix* sets one installation apart from another on the same broker."""

    prefix: str = ""
    readings: str = field(init=False)
    commands: str = field(init=False)
    alerts: str = field(init=False)
    alerts_test: str = field(init=False)
    alarm_state: str = field(init=False)
    dead_letters: str = field(init=False)
    heartbeat: str = field(init=False)

    def __post_init__(self) -> None:
        """Put the prefix before each name."""
        for name, topic in _NAMES.items():
            object.__setattr__(self, name, f"{self.prefix}{topic}")

    def of(self, role: str) -> str:
        """The topic that plays *role*: alerts, alerts_test, alarm_state, dead_letters, heartbeat."""
        return f"{self.prefix}{_NAMES[role]}"

    @property
    def inputs(self) -> tuple[str, str]:
        """The topics that are read."""
        return self.readings, self.commands

    @property
    def outputs(self) -> tuple[str, ...]:
        """The topics that are written."""
        return tuple(topic for topic in self.all if topic not in self.inputs)

    @property
    def all(self) -> tuple[str, ...]:
        """Every topic, those that are read first."""
        return tuple(getattr(self, name) for name in _NAMES)


_NAMES = {
    "readings": "vitals.readings.v1",
    "commands": "vitals.commands.v1",
    "alerts": "vitals.alerts.v1",
    "alerts_test": "vitals.alerts.test.v1",
    "alarm_state": "vitals.alarm-state.v1",
    "dead_letters": "vitals.dead-letters.v1",
    "heartbeat": "vitals.heartbeat.v1",
}


class Finding(StrEnum):
    """What `vigil topics create` did about a topic."""

    MADE = "made"
    THERE = "was there"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic as the broker has it."""

    partitions: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TopicReport:
    """One row of what `vigil topics create` tells."""

    topic: str
    finding: Finding
    partitions: int
    remark: str = ""


def wanted_config(names: TopicNames, topic: str, replication_factor: int) -> dict[str, str]:
    """The settings *topic* is made with."""
    config = {"cleanup.policy": "delete", "retention.ms": str(RETENTION["alerts"])}
    if topic in names.inputs:  # received time is then a fact of the log
        config |= {_TIME_TYPE: "LogAppendTime", "retention.ms": str(RETENTION["in"])}
    elif topic == names.alarm_state:
        config = {"cleanup.policy": "compact"}
    elif topic == names.heartbeat:
        config["retention.ms"] = str(RETENTION["heartbeat"])
    if replication_factor >= _REPLICAS_FOR_TWO_IN_SYNC:
        config |= {_IN_SYNC: "2", _UNCLEAN: "false"}
    return config


async def create_topics(
    admin: AIOKafkaAdminClient, names: TopicNames, *, partitions: int, replication_factor: int
) -> list[TopicReport]:
    """Make the topics that are missing; one that is there is left as it is and told about."""
    made = set()
    before = await describe_topics(admin, names)
    for topic in names.all:
        if topic not in before and await _create(admin, names, topic, partitions, replication_factor):
            made.add(topic)
    after = before if len(before) == len(names.all) else await _all_of_them(admin, names)
    return [
        TopicReport(topic, Finding.MADE, partitions)
        if topic in made
        else _report(names, topic, after[topic], partitions)
        for topic in names.all
    ]


async def _all_of_them(admin: AIOKafkaAdminClient, names: TopicNames) -> dict[str, TopicState]:
    """Every topic, once every broker has heard of it: that takes a moment after the making."""
    async with asyncio.timeout(_HEARD_SECONDS):
        while True:
            described = await describe_topics(admin, names)
            if len(described) == len(names.all):
                return described
            await asyncio.sleep(_HEARD_SECONDS / 100)


async def _create(
    admin: AIOKafkaAdminClient, names: TopicNames, topic: str, partitions: int, replication_factor: int
) -> bool:
    """Make *topic*; False if somebody else has made it meanwhile."""
    config = wanted_config(names, topic, replication_factor)
    new = NewTopic(
        topic, num_partitions=partitions, replication_factor=replication_factor, topic_configs=config
    )
    response = await admin.create_topics([new])
    code, message = response.topic_errors[0][1:3]
    error = for_code(code)
    if error is TopicAlreadyExistsError:
        return False
    if code:
        raise OperatorError(f"topic {topic} cannot be made: {error.__name__}: {message or 'no reason given'}")
    return True


def _report(names: TopicNames, topic: str, state: TopicState, partitions: int) -> TopicReport:
    remarks = [] if state.partitions == partitions else [f"{partitions} partitions were asked for"]
    remarks += [
        f"{key} is {state.config[key]}, not {value}"
        for key, value in wanted_config(names, topic, 1).items()
        if key != "retention.ms" and state.config.get(key, value) != value
    ]
    finding = Finding.DIFFERS if remarks else Finding.THERE
    return TopicReport(topic, finding, state.partitions, "; ".join(remarks))


async def describe_topics(admin: AIOKafkaAdminClient, names: TopicNames) -> dict[str, TopicState]:
    """Those of our topics that exist, as the broker has them."""
    described = await admin.describe_topics(list(names.all))
    counts = {one["topic"]: len(one["partitions"]) for one in described if not one["error_code"]}
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic) for topic in counts]
    configs: dict[str, dict[str, str]] = {}
    for response in await admin.describe_configs(resources) if resources else ():
        for _, _, _, topic, entries in response.resources:
            configs[topic] = {entry[0]: entry[1] for entry in entries}
    return {topic: TopicState(count, configs.get(topic, {})) for topic, count in counts.items()}


@dataclass(frozen=True, slots=True)
class Layout:
    """How many lanes there are, and how many partitions each input topic has."""

    lanes: int
    inputs: tuple[int, ...]


def lane_count(names: TopicNames, states: Mapping[str, TopicState], begun: int = 0) -> int:
    """How many lanes there are. Raises OperatorError where the topics are not as they must be.

    A Vigil begins with as many as each of its topics has partitions. Once it has *begun*, patients keep their
    lanes: topics may have more partitions since then, but none may have fewer.
    """
    missing = [topic for topic in names.all if topic not in states]
    if missing:
        raise OperatorError(f"missing topic: {', '.join(missing)}; make it with `vigil topics create`")
    counts = {topic: states[topic].partitions for topic in names.all}
    told = ", ".join(f"{topic} {count}" for topic, count in counts.items())
    if not begun and len(set(counts.values())) > 1:
        raise OperatorError(f"the topics must all have the same number of partitions, but have: {told}")
    if min(counts.values()) < begun:
        raise OperatorError(
            f"this database was begun with {begun} lanes, so each topic must have {begun} partitions or more, but they "
            f"have: {told}; raise those with fewer (kafka-topics --alter --partitions {begun}), or use the database "
            "that belongs to these topics"
        )
    for topic in names.inputs:
        if states[topic].config.get(_TIME_TYPE) != "LogAppendTime":
            raise OperatorError(
                f"topic {topic} must have {_TIME_TYPE}=LogAppendTime, so that the received time is the log's; "
                f"set it with kafka-configs --alter --entity-type topics --entity-name {topic} "
                f"--add-config {_TIME_TYPE}=LogAppendTime"
            )
    return begun or counts[names.readings]


def fewest_partitions(names: TopicNames, states: Mapping[str, TopicState]) -> int:
    """How many lanes there can be at most: the database, which knows, is not asked by whoever only reads."""
    return min((states[topic].partitions for topic in names.outputs if topic in states), default=0)


def check_durable(names: TopicNames, states: Mapping[str, TopicState], brokers: int) -> None:
    """Raise OperatorError where a broker that is lost could take with it what was published.

    With fewer than three *brokers* there is no choice: two in sync of two would stop at the first loss.
    """
    if brokers < _REPLICAS_FOR_TWO_IN_SYNC:
        return
    for topic in names.outputs:
        config = states[topic].config
        if int(config.get(_IN_SYNC, "1")) < 2:  # noqa: PLR2004  two in sync, as the message says
            raise _loses(topic, f"{_IN_SYNC} of at least 2 (and 3 replicas)", f"{_IN_SYNC}=2")
        if config.get(_UNCLEAN) == "true":
            raise _loses(topic, f"{_UNCLEAN}=false", f"{_UNCLEAN}=false")


def _loses(topic: str, must: str, setting: str) -> OperatorError:
    return OperatorError(
        f"topic {topic} must have {must}, since there are three brokers or more: else the loss of one can take "
        f"published alerts with it; set it with kafka-configs --alter --entity-type topics --entity-name {topic} "
        f"--add-config {setting}"
    )
