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


def named(*partitions):
    return Assignment(TOPICS, partitions, is_named=True)


def test_a_worker_with_a_name_offers_one_assignor_with_the_number_of_partitions_in_its_name():
    assert names(named(12, 6)) == ["range-12-6"]


def test_a_worker_without_a_name_offers_what_everybody_knows_and_leaves_looking_to_the_client():
    assignment, consumer = Assignment(TOPICS, (6, 6), is_named=False), Consumer(readings=9, commands=9)

    assignment.look(consumer)

    assert names(assignment) == ["range"]
    assert consumer.joins == 0


def test_what_is_as_it_was_asks_for_nothing():
    consumer = Consumer(readings=6, commands=6)

    named(6, 6).look(consumer)

    assert consumer.joins == 0


def test_partitions_that_were_added_ask_for_a_new_assignment_once():
    assignment, consumer = named(6, 6), Consumer(readings=6, commands=9)

    assignment.look(consumer)
    assignment.look(consumer)

    assert consumer.joins == 1
    assert names(assignment) == ["range-6-9", "range-6-6"]
    assert consumer._coordinator._assignors == assignment.assignors


def test_what_the_broker_does_not_tell_of_right_now_is_not_gone():
    consumer = Consumer(readings=12)

    named(6, 6).look(consumer)

    assert consumer.joins == 0
