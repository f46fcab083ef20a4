"""What a worker offers its group: other words for other numbers of partitions, so that none is left to nobody."""

from types import SimpleNamespace

from worker.assignors import Assignment

TOPICS = ("readings", "commands")


class Consumer:
    """As much of aiokafka's as is looked at: what it has heard of the topics, and whether it joins again."""

    def __init__(self, **partitions):
        self.partitions = partitions
        self.joins = 0
        self._client = SimpleNamespace(cluster=SimpleNamespace(partitions_for_topic=self._partitions_for))
        self._coordinator = SimpleNamespace(request_rejoin=self._join)

    def _partitions_for(self, topic):
        return set(range(self.partitions[topic])) if topic in self.partitions else None

    def _join(self):
        self.joins += 1


def names(assignment):
    return [assignor.name for assignor in assignment.assignors]


def test_the_number_of_partitions_is_part_of_the_first_choice():
    assert names(Assignment(TOPICS, (12, 6))) == ["range-12-6", "range"]


def test_what_is_as_it_was_asks_for_nothing():
    consumer = Consumer(readings=6, commands=6)

    Assignment(TOPICS, (6, 6)).look(consumer)

    assert consumer.joins == 0


def test_partitions_that_were_added_ask_for_a_new_assignment_once():
    assignment, consumer = Assignment(TOPICS, (6, 6)), Consumer(readings=6, commands=9)

    assignment.look(consumer)
    assignment.look(consumer)

    assert consumer.joins == 1
    assert names(assignment) == ["range-6-9", "range-6-6", "range"]
    assert consumer._coordinator._assignors == assignment.assignors


def test_what_the_broker_does_not_tell_of_right_now_is_not_gone():
    consumer = Consumer(readings=12)

    Assignment(TOPICS, (6, 6)).look(consumer)

    assert consumer.joins == 0
