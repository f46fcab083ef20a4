"""The benchmarks' ward: what it calls alarming starts an alarm under the shipped protocol, the rest does not."""

from datetime import UTC, datetime
from itertools import pairwise

import orjson
import pytest

from benchmarks.evaluation import LogRecord
from benchmarks.ward import ALARMING, SIGNS, Ward, iso, ms_of
from domain.alerts import Phase
from domain.chart import Chart
from domain.evaluation import evaluate
from domain.observations import Mode
from worker.messages.readings import decode_reading_record
from worker.protocols import load_protocol

START_MS = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1000


def alarming_and_started(ward, rate, seconds):
    """Send *ward* through the evaluator; return which readings are alarming, and which started an alarm."""
    protocol = load_protocol("ward-adult")
    charts = {}
    alarming, started = set(), set()
    singles = (ward.next_reading(START_MS + i * 1000 // rate) for i in range(rate * seconds))
    for message in [*ward.full_sets(START_MS - 1000), *singles]:
        key = message.patient_id, message.observed_ms
        record = LogRecord("readings", 0, 0, message.observed_ms + 40, b"", message.value)
        observation = decode_reading_record(record).observation
        chart = charts.get(message.patient_id) or Chart(patient_id=message.patient_id, mode=Mode.REAL, lane=0)
        evaluation = evaluate(chart, observation, protocol)
        charts[message.patient_id] = evaluation.chart
        if message.is_alarming:
            alarming.add(key)
        if any(alert.phase is Phase.START for alert in evaluation.alerts):
            started.add(key)
    return alarming, started


@pytest.mark.parametrize(
    ("share", "rate", "seconds"),
    [
        pytest.param(0.001, 50, 400, id="a bed's second, as in the backlog"),
        pytest.param(0.01, 50, 80, id="a bed's second, as at 500 readings a second"),
        pytest.param(0.01, 500, 40, id="ten a second from a bed, as at 5,000 readings a second"),
    ],
)
def test_exactly_the_alarming_readings_start_an_alarm(share, rate, seconds):
    ward = Ward(50, alarming_share=share)

    alarming, started = alarming_and_started(ward, rate, seconds)

    assert started == alarming
    assert len(alarming) == pytest.approx(rate * seconds * share, abs=2)


def test_every_bed_sends_its_signs_in_turn_and_its_times_in_order():
    ward = Ward(3, alarming_share=0.5)
    messages = [ward.next_reading(START_MS + i) for i in range(3 * len(SIGNS))]

    of_one_bed = [each for each in messages if each.patient_id == "P-0001"]

    assert {orjson.loads(each.value)["readings"][0]["vital_sign"] for each in of_one_bed} == set(SIGNS)
    assert all(earlier.observed_ms < later.observed_ms for earlier, later in pairwise(of_one_bed))


def test_the_same_seed_gives_the_same_ward():
    one, other = (Ward(5, alarming_share=0.2, seed=7) for _ in range(2))

    assert [one.next_reading(i) for i in range(100)] == [other.next_reading(i) for i in range(100)]


def test_alarming_values_are_of_signs_that_are_sent():
    assert ALARMING.keys() <= set(SIGNS)


def test_an_instant_is_read_back_as_it_was_written():
    assert ms_of(iso(START_MS + 7)) == START_MS + 7
