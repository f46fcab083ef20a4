from datetime import timedelta

from domain.times import from_ms
from worker.timers import GRACE, Sight, lane_time

NOW = 1_800_000_000_000


def test_a_worker_that_has_read_everything_goes_by_the_moment_it_last_looked():
    sights = [Sight(caught_up_ms=NOW, received_ms=NOW - 5000), Sight(caught_up_ms=NOW + 40, received_ms=None)]

    assert lane_time(sights) == from_ms(NOW) - GRACE


def test_after_an_outage_time_stands_where_the_backlog_has_been_worked_through_to():
    an_hour_ago = NOW - 3_600_000
    sights = [Sight(caught_up_ms=NOW, received_ms=NOW), Sight(caught_up_ms=None, received_ms=an_hour_ago)]

    assert lane_time(sights) == from_ms(an_hour_ago) - GRACE


def test_while_a_partition_has_not_been_looked_at_no_time_passes():
    assert lane_time([Sight(caught_up_ms=NOW, received_ms=NOW), Sight(None, None)]) is None


def test_a_worker_without_partitions_has_no_time():
    assert lane_time([]) is None


def test_a_set_that_is_under_way_is_waited_for():
    assert timedelta(seconds=1) <= GRACE
