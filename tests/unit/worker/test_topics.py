import pytest

from worker.errors import OperatorError
from worker.topics import TopicNames, TopicState, lane_count, wanted_config

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
