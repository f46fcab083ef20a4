"""`vigil watch` against a real broker: it reads what is committed, and says so plainly when it cannot read."""

import asyncio
import io
import logging
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from rich.console import Console

from domain.alerts import Phase
from domain.observations import Mode
from tests.unit.watch.announced import an_alert, beat_arrival, the_end
from worker.errors import OperatorError, UnreachableError
from worker.messages.alerts import alarm_state_record, alert_record
from worker.settings import Settings
from worker.topics import TopicNames, create_topics
from worker.watch import watch

LANES = 2
NOW = datetime.now(UTC)


@pytest.fixture
def settings(kafka, topic_prefix):
    return Settings(kafka_bootstrap_servers=kafka.bootstrap_servers, topic_prefix=topic_prefix)


@pytest.fixture
def names(settings):
    """The names of topics that have been made."""
    names = TopicNames(settings.topic_prefix)

    async def make():
        admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
        await admin.start()
        try:
            await create_topics(admin, names, partitions=LANES, replication_factor=1)
        finally:
            await admin.close()

    asyncio.run(make())
    return names


def a_now(name, **changes):
    return an_alert(name, **({"onset_at": NOW, "determined_at": NOW, "observed_at": NOW} | changes))


def publish(settings, names, *alerts, commit=True, beats=True):
    """Publish *alerts* in one transaction to lane 0, as the worker does, and a heartbeat of each lane."""

    async def send():
        producer = AIOKafkaProducer(
            bootstrap_servers=settings.kafka_bootstrap_servers, transactional_id=f"{names.prefix}0"
        )
        await producer.start()
        try:
            await producer.begin_transaction()
            for number, (topic, record) in enumerate(_records(names, alerts)):
                headers = [*record.headers, ("ce_sequence", b"%020d" % number)]
                await producer.send(topic, record.value, record.key, partition=0, headers=headers)
            for lane in range(LANES if beats else 0):
                beat = beat_arrival(lane, datetime.now(UTC))
                await producer.send(names.heartbeat, beat.value, beat.key, partition=lane)
            await (producer.commit_transaction() if commit else producer.abort_transaction())
        finally:
            await producer.stop()

    asyncio.run(send())


def _records(names, alerts):
    for alert in alerts:
        record = alert_record(alert, site="test")
        yield getattr(names, record.topic), record
        state = alarm_state_record(alert)
        if state is not None:
            yield names.alarm_state, state


def seen(settings, **options):
    console = Console(file=io.StringIO(), width=180)
    watch(settings, console=console, **options)
    return console.file.getvalue()


def test_once_shows_what_stands_and_what_has_ended_and_returns(settings, names):
    publish(
        settings, names,
        a_now("stands", bed="4"),
        a_now("ends", bed="5"),
        the_end("ends", bed="5", ended_at=NOW, determined_at=NOW),
        a_now("demo", bed="6", mode=Mode.DEMO),
    )  # fmt: skip

    text = seen(settings, once=True)

    standing, _, over = text.partition("Over")
    assert "7B 4" in standing
    assert "7B 6" in standing
    assert "DEMO DATA SHOWN" in standing
    assert "7B 5" not in standing
    assert "7B 5" in over
    assert "alerts are arriving (checked " in text


def test_what_was_never_committed_is_not_shown(settings, names):
    publish(settings, names, a_now("ghost", bed="13"), commit=False)
    publish(settings, names, a_now("stands", bed="4"))

    text = seen(settings, once=True)

    assert "7B 4" in text
    assert "7B 13" not in text


def test_only_the_mode_and_ward_asked_for_are_shown(settings, names):
    publish(
        settings,
        names,
        a_now("a", bed="4"),
        a_now("b", bed="6", mode=Mode.DEMO),
        a_now("c", bed="8", ward="9C"),
    )

    assert "7B 4" in seen(settings, once=True, mode=Mode.REAL, ward="7B")
    assert "9C 8" not in seen(settings, once=True, ward="7B")
    assert "DEMO" not in seen(settings, once=True, mode=Mode.REAL)


def test_an_alarm_older_than_the_alerts_that_are_read_still_stands(settings, names):
    publish(settings, names, a_now("old", bed="4", onset_at=NOW - timedelta(days=3)))

    assert "(3 d)" in seen(settings, once=True, mode=Mode.REAL)


def test_a_ward_that_nobody_watches_is_told_loudly(settings, names):
    publish(settings, names, a_now("a"), beats=False)

    assert "NO ALERTS ARE ARRIVING: no sign of life yet" in seen(settings, once=True)


def test_for_some_seconds_it_prints_anew_only_what_is_new(settings, names):
    publish(settings, names, a_now("a", phase=Phase.START))

    assert seen(settings, seconds=2.5).count("Vigil  ") == 1


def test_missing_topics_are_told_with_the_command_that_makes_them(settings):
    with pytest.raises(OperatorError, match=r"missing topic: .*vigil topics create"):
        seen(settings, once=True)


def test_no_broker_is_told_in_one_line_without_the_client_s_own_words(caplog):
    with pytest.raises(UnreachableError, match=r"the broker at 127\.0\.0\.1:1 gave no answer"):
        seen(Settings(kafka_bootstrap_servers="127.0.0.1:1"), once=True, wait=0.5)

    assert [record.name for record in caplog.records if record.name.startswith("aiokafka")] == []


class AsAConnectionBreaks(Console):
    """A console on which the client would say, just as the page comes, that it lost the broker."""

    def print(self, *what, **how):
        logging.getLogger("aiokafka.conn").error("Connect attempt failed")
        super().print(*what, **how)


def test_what_the_client_says_of_its_connections_does_not_spoil_the_screen(settings, names, caplog):
    publish(settings, names, a_now("a"))

    watch(settings, console=AsAConnectionBreaks(file=io.StringIO()), once=True)

    assert "Connect attempt failed" not in caplog.text
    assert logging.getLogger("aiokafka.conn").isEnabledFor(logging.ERROR)


@pytest.mark.parametrize("seconds", [0, -1.5])
def test_no_time_at_all_is_refused(seconds):
    with pytest.raises(OperatorError, match=rf"^--seconds must be more than 0, not {seconds};.*--once$"):
        seen(Settings(), seconds=seconds)


def test_notes_are_shown_below_the_ward(settings, names):
    publish(settings, names, a_now("a"))

    assert (
        seen(settings, once=True, notes=["metrics are elsewhere"]).split("\n")[-3] == "metrics are elsewhere"
    )
