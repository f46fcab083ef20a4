"""The ledger: a defect of ours on one input costs that input, and nothing else of the chart or the batch."""

import pytest

from domain.chart import Chart
from domain.observations import Mode
from persistence.chart_cache import ChartKey
from persistence.charts import StoredChart
from tests.builders import PATIENT, a_set, at, shipped
from worker.batches import Item
from worker.ledger import Known, Ledger

pytestmark = pytest.mark.usefixtures("plain_log")

KEY = ChartKey(PATIENT, Mode.REAL)
OTHER = ChartKey("P-other", Mode.REAL)


class Record:
    """As much of a record as a refusal is made of."""

    topic, partition, offset, timestamp = "vitals.readings.v1", 0, 7, 1_780_000_000_000
    key = value = None
    headers = ()


def a_ledger(*keys):
    charts = {
        key: StoredChart(number, Chart(patient_id=key.patient_id, mode=key.mode, lane=0))
        for number, key in enumerate(keys or (KEY,))
    }
    return Ledger(charts, Known(), shipped(), site="north")


def an_item(seconds, **values):
    return Item(a_set(seconds, **values), KEY, Record())


@pytest.fixture
def break_evaluation(monkeypatch):
    """Let the evaluation fail half way on SpO2 of exactly 66 %."""
    from domain import evaluation  # noqa: PLC0415

    whole = evaluation.take_observations

    def half(draft, observation, received_ms, *, is_conflict):
        said = whole(draft, observation, received_ms, is_conflict=is_conflict)
        if any(reading.value == 66 for reading in observation.readings):
            raise ZeroDivisionError
        return said

    monkeypatch.setattr(evaluation, "take_observations", half)


def of(ledger):
    ledger.close()
    (stored,) = ledger.changed
    return stored.chart


@pytest.mark.usefixtures("break_evaluation")
def test_an_input_that_fails_half_way_has_changed_nothing():
    broken, sound = a_ledger(), a_ledger()

    broken.take(an_item(0, spo2=97))
    broken.take(an_item(1, spo2=66))
    broken.take(an_item(2, spo2=96))
    sound.take(an_item(0, spo2=97))
    sound.take(an_item(2, spo2=96))

    assert of(broken).tracks == of(sound).tracks
    assert [row.value for row in broken.readings] == [97, 96]
    assert [refusal.reason.value for _, refusal in broken.refused] == ["not_evaluated"]


@pytest.mark.usefixtures("break_evaluation")
def test_the_alerts_of_the_inputs_before_a_failing_one_stay():
    ledger = a_ledger()

    ledger.take(an_item(0, heart_rate=170))
    ledger.take(an_item(1, spo2=66))

    assert [alert.rule_id for alert in ledger.counts.alerts][:1] == ["heart-rate-high"]
    assert "heart-rate-high" in of(ledger).alarms


@pytest.mark.usefixtures("break_evaluation")
def test_the_ward_is_told_of_an_input_that_could_not_be_judged():
    ledger = a_ledger()

    ledger.take(an_item(1, spo2=66))

    assert [alert.reason.value for alert in ledger.counts.alerts] == ["not_evaluated"]
    assert [row.kind for row in ledger.ticks] == ["not_evaluated"]


def test_a_tick_that_fails_costs_no_other_chart_its_own(monkeypatch):
    from domain import evaluation  # noqa: PLC0415

    ledger = a_ledger(KEY, OTHER)
    for key in (KEY, OTHER):
        working = ledger._working[key]
        working.take(a_set(0, heart_rate=80))
        working.before = working.course.chart
        working.taken.clear()
    whole = evaluation.pass_time

    def pass_time(draft, until_ms):
        if draft.patient_id == PATIENT:
            raise ZeroDivisionError
        whole(draft, until_ms)

    monkeypatch.setattr(evaluation, "pass_time", pass_time)

    ticked = [ledger.take_tick(key, at(4000)) for key in (KEY, OTHER)]

    assert ticked == [False, True]
    assert [row.chart_id for row in ledger.ticks if row.kind == "due"] == [1]
