import logging

from worker.observability.log_repeats import Repeats

THEN = 1_000_000.0


def a_line(at, *arguments, message="cannot connect to %s", name="aiokafka.client"):
    record = logging.LogRecord(name, logging.ERROR, __file__, 1, message, arguments, None)
    record.created = at
    return record


def test_of_lines_that_differ_in_arguments_only_one_is_written_now_and_then():
    repeats = Repeats()

    written = [repeats.filter(a_line(THEN + second, second)) for second in range(21)]

    assert [second for second, is_written in enumerate(written) if is_written] == [0, 10, 20]


def test_the_next_that_is_written_tells_how_many_were_left_out():
    repeats = Repeats()
    for second in range(3):
        repeats.filter(a_line(THEN + second))

    later = a_line(THEN + 11)

    assert repeats.filter(later)
    assert later.left_out == 2


def test_other_lines_are_not_held_back():
    repeats = Repeats()

    assert repeats.filter(a_line(THEN))
    assert repeats.filter(a_line(THEN, message="another"))
    assert repeats.filter(a_line(THEN, name="aiokafka.conn"))


def test_what_we_say_ourselves_is_always_written():
    repeats = Repeats()

    assert all(repeats.filter(a_line(THEN, name="worker.intake")) for _ in range(3))
