"""Which sets the store must be asked about: only what might be there already."""

import pytest

from domain.chart import Chart
from domain.freshness import is_certainly_new
from domain.observations import Mode
from tests.builders import PATIENT, Bedside, a_set


def test_to_a_chart_that_has_seen_nothing_everything_is_new():
    assert is_certainly_new(Chart(patient_id=PATIENT, mode=Mode.REAL, lane=0), a_set(0, spo2=97))


@pytest.mark.parametrize(
    ("observed", "device", "is_new"),
    [(11, "monitor", True), (10, "monitor", False), (9, "monitor", False), (11, "other", False)],
)
def test_only_what_a_known_device_observed_later_than_all_before_is_new(observed, device, is_new):
    bedside = Bedside().take_all([a_set(10, spo2=97), a_set(5, received=11, spo2=97)])

    assert is_certainly_new(bedside.chart, a_set(observed, received=12, device=device, spo2=97)) is is_new


def test_after_a_discharge_nothing_is_certain():
    bedside = Bedside().admitted().take_all([a_set(10, spo2=97)])
    bedside.leaves(11)

    assert not is_certainly_new(bedside.chart, a_set(12, spo2=97))
