import pytest

from worker.errors import ConsumerDeadError
from worker.watchdog import SILENT_SECONDS, Signs, judge


def test_a_consumer_that_is_polled_is_let_be():
    judge(Signs(dead_part=None, is_consuming=True, seconds_since_poll=1.0))


@pytest.mark.parametrize(
    ("signs", "told"),
    [
        (Signs("fetching", is_consuming=True, seconds_since_poll=0.0), "fetching has ended"),
        (Signs(None, is_consuming=False, seconds_since_poll=0.0), "consume loop has ended"),
        (Signs(None, is_consuming=True, seconds_since_poll=SILENT_SECONDS + 1), "nobody has asked"),
    ],
)
def test_a_consumer_that_will_never_consume_again_ends_the_process(signs, told):
    with pytest.raises(ConsumerDeadError, match=told):
        judge(signs)
