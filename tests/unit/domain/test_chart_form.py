"""Charts and wards as they are stored: nothing lost, JSON all the way, small."""

from datetime import date

import orjson
import pytest

from domain.chart import Chart
from domain.chart_form import chart_from_form, chart_to_form, track_to_form, ward_from_form, ward_to_form
from domain.commands import Sex
from domain.observations import Mode
from domain.times import to_ms
from domain.wards import Ward, WardSignal, evaluate_ward
from tests.builders import PATIENT, Bedside, a_set, a_spot_check, at, shipped


def a_full_chart(**rest):
    """A chart with an admission, values, pending and standing alarms, a fall's history, late findings, devices."""
    bedside = Bedside().admitted(birth_date=date(1961, 4, 9), sex=Sex.OTHER, has_spo2_target_88_92=True)
    bedside.take(a_spot_check(1, gcs=15, oxygen_therapy=2))
    bedside.streams([90, 70, 97, 0, 91], sign="pulse", begin=2)
    bedside.streams([140] * 80, sign="heart_rate", begin=10)
    bedside.take(a_set(80, spo2=70, received=91, **rest))
    bedside.take(a_spot_check(92, systolic_pressure=120, device="cuff"))
    bedside.take(a_spot_check(10, received=93, systolic_pressure=70, device="cuff"))
    bedside.take(a_set(2000, received=94, pulse=80, **rest))
    return bedside.chart


def stored(chart):
    return orjson.loads(orjson.dumps(chart_to_form(chart)))


@pytest.mark.parametrize("replayed", [False, True])
def test_a_chart_comes_back_as_it_was_stored(replayed):
    chart = a_full_chart(replayed=replayed)

    again = chart_from_form(
        stored(chart), patient_id=PATIENT, mode=Mode.REAL, lane=0, chart_seq=chart.chart_seq
    )

    assert again == chart
    assert chart_to_form(again) == chart_to_form(chart)
    assert (again.due_ms is None) is replayed
    assert type(next(iter(again.tracks))) is type(next(iter(chart.tracks)))


def test_the_chart_in_these_tests_has_something_of_everything():
    chart = a_full_chart()
    tracks = chart.tracks.values()

    assert chart.admission is not None
    assert chart.alarms
    assert any(track.history for track in tracks)
    assert any(track.late_findings for track in tracks)
    assert any(track.base for track in tracks)
    assert any(track.base_device for track in tracks)
    assert len({entry.device_id for track in tracks for entry in track.window}) > 1
    assert len(chart.devices) > 1


def test_key_lane_and_number_are_the_stores_and_not_in_the_form():
    form = stored(a_full_chart())

    again = chart_from_form(form, patient_id="other", mode=Mode.TEST, lane=7, chart_seq=99)

    assert PATIENT not in orjson.dumps(form).decode()
    assert (again.patient_id, again.mode, again.lane, again.chart_seq) == ("other", Mode.TEST, 7, 99)


def test_an_empty_form_is_a_new_chart_and_a_new_ward():
    chart = chart_from_form({}, patient_id=PATIENT, mode=Mode.REAL, lane=2, chart_seq=0)
    ward = ward_from_form({}, ward="7b", mode=Mode.REAL, lane=2, ward_seq=0)

    assert chart == Chart(patient_id=PATIENT, mode=Mode.REAL, lane=2)
    assert ward == Ward(ward="7b", mode=Mode.REAL, lane=2)


def test_an_admission_without_birth_date_comes_back_without_one():
    chart = Bedside().admitted(bed=None).chart

    again = chart_from_form(stored(chart), patient_id=PATIENT, mode=Mode.REAL, lane=0, chart_seq=1)

    assert again == chart


@pytest.mark.parametrize("silent", [1, 3])
def test_a_ward_comes_back_as_it_was_stored(silent):
    signals = [
        WardSignal(ward="7b", mode=Mode.REAL, subject=f"p{n}/m", is_silent=True, at_ms=to_ms(at(n)))
        for n in range(silent)
    ]
    ward = evaluate_ward(Ward(ward="7b", mode=Mode.REAL, lane=2), signals, shipped()).ward

    form = orjson.loads(orjson.dumps(ward_to_form(ward)))

    assert bool(ward.alarms) is (silent == 3)
    assert ward_from_form(form, ward="7b", mode=Mode.REAL, lane=2, ward_seq=1) == ward


def test_a_form_bears_its_version():
    assert stored(a_full_chart())["v"] == 1


def test_a_quiet_hour_of_a_monitor_is_small():
    bedside = Bedside().take_all(
        a_set(second, heart_rate=80 + second % 3, spo2=97, respiratory_rate=16, pulse=80)
        for second in range(120)
    )

    assert len(orjson.dumps(chart_to_form(bedside.chart))) < 4_000


def test_tracks_that_were_written_before_are_taken_as_they_are():
    chart = a_full_chart()
    written = {sign: track_to_form(track) for sign, track in chart.tracks.items()}

    assert chart_to_form(chart, written) == chart_to_form(chart)
