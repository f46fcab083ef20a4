from worker.contact import AWAY_SECONDS, SETTLING_SECONDS, Contact

THEN = 1_000_000.0


def asking_since_then():
    return Contact(asking_since=THEN, looked_at=THEN)


def looking(contact, answered, now):
    """Look every second until *now*."""
    while contact.looked_at + 1 < now:
        contact.look(answered, contact.looked_at + 1)
    return contact.look(answered, now)


def test_a_broker_that_answers_is_not_away():
    contact = asking_since_then()

    away = contact.look([THEN + 59.9, THEN + 60.0], THEN + 60)

    assert away == 0
    assert contact.is_settled(THEN + 60)


def test_partitions_without_an_answer_for_a_while_are_counted():
    contact = asking_since_then()

    assert looking(contact, [THEN + 10, None], THEN + AWAY_SECONDS) == 0
    assert looking(contact, [THEN + 10, None], THEN + AWAY_SECONDS + 8) == 1
    assert looking(contact, [THEN + 10, None], THEN + AWAY_SECONDS + 18) == 2


def test_silence_counts_from_when_records_are_asked_for_again():
    contact = asking_since_then()
    contact.asks(THEN + 120)

    assert contact.look([THEN - 1], THEN + 120 + AWAY_SECONDS) == 0


def test_nobody_is_asked_while_a_batch_takes_long():
    contact = asking_since_then()
    contact.is_busy(THEN + 1)

    assert contact.look([THEN], THEN + 60) == 0
    contact.is_done(THEN + 60)
    assert contact.look([THEN], THEN + 60 + AWAY_SECONDS) == 0


def test_batches_that_take_a_moment_do_not_hide_a_partition_without_an_answer():
    contact = asking_since_then()
    for second in range(10):
        contact.is_busy(THEN + second)
        contact.is_done(THEN + second + 0.5)
        contact.look([THEN, THEN + second], THEN + second + 0.6)

    assert contact.look([THEN, THEN + 9.9], THEN + 10) == 1


def test_a_process_that_stood_still_did_not_ask():
    contact = asking_since_then()
    contact.look([THEN], THEN)

    assert contact.look([THEN], THEN + 60) == 0
    assert contact.is_settled(THEN + 60)


def test_silence_of_devices_counts_again_only_when_producers_have_had_time_to_come_back():
    contact = asking_since_then()
    looking(contact, [THEN], THEN + 10)

    assert not contact.is_settled(THEN + 10)
    back = THEN + 120
    contact.look([back], back)
    assert not contact.is_settled(back + SETTLING_SECONDS - 0.1)
    assert contact.is_settled(back + SETTLING_SECONDS)


def test_a_new_assignment_alone_does_not_mean_that_the_broker_is_back():
    contact = asking_since_then()
    looking(contact, [THEN], THEN + 10)

    contact.asks(THEN + 60)
    contact.look([None], THEN + 61)

    assert not contact.is_settled(THEN + 61 + SETTLING_SECONDS)


def test_a_broker_that_was_waited_for_at_the_start_has_been_away():
    contact = Contact()

    contact.was_away(THEN)

    assert not contact.is_settled(THEN)
    assert contact.is_settled(THEN + SETTLING_SECONDS)
