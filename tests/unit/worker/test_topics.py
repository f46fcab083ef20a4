import pytest

from worker.errors import OperatorError
from worker.topics import TopicNames, TopicState, check_durable, lane_count, wanted_config

NAMES = TopicNames("t.")


def as_they_must_be(partitions=6):
    return {topic: TopicState(partitions, wanted_config(NAMES, topic, 1)) for topic in NAMES.all}


def test_topics_that_are_as_they_must_be_give_the_number_of_lanes():
    assert lane_count(NAMES, as_they_must_be(6)) == 6


def test_a_missing_topic_is_named():
    states = as_they_must_be()
    del states["t.vitals.heartbeat.v1"]

    with pytest.raises(
        OperatorError, match=r"missing topic: t\.vitals\.heartbeat\.v1; .*vigil topics create"
    ):
        lane_count(NAMES, states)


def test_unequal_partition_counts_are_refused():
    states = as_they_must_be() | {NAMES.commands: TopicState(3, wanted_config(NAMES, NAMES.commands, 1))}

    with pytest.raises(OperatorError, match=r"vitals\.commands\.v1 3"):
        lane_count(NAMES, states)


def test_a_vigil_that_has_begun_keeps_its_lanes_whatever_was_added_to_a_topic():
    states = as_they_must_be(6) | {NAMES.readings: TopicState(12, wanted_config(NAMES, NAMES.readings, 1))}

    assert lane_count(NAMES, states, begun=6) == 6
    assert lane_count(NAMES, as_they_must_be(12), begun=6) == 6


def test_no_topic_may_have_fewer_partitions_than_there_are_lanes():
    states = as_they_must_be(6) | {NAMES.heartbeat: TopicState(3, wanted_config(NAMES, NAMES.heartbeat, 1))}

    with pytest.raises(
        OperatorError, match=r"begun with 6 lanes.*heartbeat\.v1 3; raise those with fewer"
    ) as told:
        lane_count(NAMES, states, begun=6)

    assert "\n" not in str(told.value)


def test_an_input_topic_must_be_stamped_by_the_log():
    states = as_they_must_be() | {NAMES.readings: TopicState(6, {"message.timestamp.type": "CreateTime"})}

    with pytest.raises(OperatorError, match="LogAppendTime"):
        lane_count(NAMES, states)


def test_only_the_state_of_alarms_is_compacted():
    policies = {topic: wanted_config(NAMES, topic, 1)["cleanup.policy"] for topic in NAMES.all}

    assert [topic for topic, policy in policies.items() if policy == "compact"] == [NAMES.alarm_state]


@pytest.mark.parametrize(("factor", "expected"), [(1, None), (2, None), (3, "2"), (5, "2")])
def test_with_three_replicas_two_must_be_in_sync(factor, expected):
    assert wanted_config(NAMES, NAMES.alerts, factor).get("min.insync.replicas") == expected


def with_replicas(factor, **different):
    """Topics as Vigil makes them for so many replicas, one of them with other settings."""
    states = {topic: TopicState(6, wanted_config(NAMES, topic, factor)) for topic in NAMES.all}
    for name, config in different.items():
        topic = NAMES.of(name)
        states[topic] = TopicState(6, {**states[topic].config, **config})
    return states


@pytest.mark.parametrize(("factor", "brokers"), [(1, 1), (1, 2), (3, 3), (3, 5)])
def test_topics_as_vigil_makes_them_are_durable_where_they_can_be(factor, brokers):
    check_durable(NAMES, with_replicas(factor), brokers)


@pytest.mark.parametrize("topic", ["alerts", "alerts_test", "alarm_state", "dead_letters", "heartbeat"])
@pytest.mark.parametrize(
    "setting", [{"min.insync.replicas": "1"}, {"unclean.leader.election.enable": "true"}]
)
def test_where_there_are_three_brokers_the_loss_of_one_may_cost_nothing_that_is_out(topic, setting):
    states = with_replicas(3, **{topic: setting})

    with pytest.raises(
        OperatorError, match=rf"^topic {NAMES.of(topic)} must have {next(iter(setting))}"
    ) as told:
        check_durable(NAMES, states, 3)

    assert "\n" not in str(told.value)


def test_a_single_broker_has_no_choice():
    check_durable(NAMES, with_replicas(3, alerts={"min.insync.replicas": "1"}), 2)
