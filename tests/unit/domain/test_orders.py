"""What staff and the registry tell us: where a patient lies, and what becomes of alarms."""

from datetime import date

import pytest

from domain.alarms import AlarmState
from domain.alerts import Phase, Reason
from domain.chart import Admission
from domain.commands import Admit, Discharge, Move, Sex
from domain.orders import Refusal
from domain.times import to_ms
from tests.builders import Bedside, a_set, a_spot_check, an_order, at


def test_an_admission_is_kept_as_the_registry_gave_it():
    bedside = Bedside().admitted(5, birth_date=date(1961, 4, 9), sex=Sex.FEMALE, has_spo2_target_88_92=True)

    assert bedside.chart.admission == Admission(
        ward="7b",
        bed="12",
        birth_date=date(1961, 4, 9),
        sex=Sex.FEMALE,
        has_spo2_target_88_92=True,
        admitted_ms=to_ms(at(5)),
    )
    assert bedside.alerts == []
    assert bedside.evaluations[0].verdicts == ()


def test_alerts_say_ward_bed_and_birth_year():
    bedside = Bedside().admitted(0, birth_date=date(1961, 4, 9))

    bedside.take(a_spot_check(1, spo2=80))

    (alert,) = bedside.alerts
    assert (alert.ward, alert.bed, alert.birth_year) == ("7b", "12", 1961)


def test_an_alert_of_a_patient_unknown_to_the_registry_goes_out_all_the_same():
    bedside = Bedside()

    bedside.take(a_spot_check(1, spo2=80))

    (alert,) = bedside.alerts
    assert (alert.ward, alert.bed, alert.birth_year) == (None, None, None)


def test_a_move_tells_whoever_is_on_the_way_where_the_patient_lies_now():
    bedside = Bedside().admitted()
    bedside.take(a_spot_check(1, spo2=90))

    bedside.moves(2, ward="8a", bed="3")

    assert bedside.chart.admission is not None
    assert (bedside.chart.admission.ward, bedside.chart.admission.bed) == ("8a", "3")
    alert = bedside.alerts[-1]
    assert (alert.phase, alert.reason, alert.ward, alert.bed) == (Phase.UPDATE, Reason.MOVED, "8a", "3")
    assert alert.state is AlarmState.ACTIVE
    assert alert.title == "Bed 3 (…4217): SpO2 alarm moved with the patient"


@pytest.mark.parametrize(
    ("where", "said"),
    [({"ward": "7b", "bed": "12"}, 0), ({"ward": "7b", "bed": "13"}, 1), ({"ward": "8a", "bed": "12"}, 1)],
)
def test_only_a_move_that_moves_is_said(where, said):
    bedside = Bedside().admitted()
    bedside.take(a_spot_check(1, spo2=90))

    assert len(bedside.moves(2, **where).alerts) == said


@pytest.mark.parametrize(("bed", "said"), [("12", 0), ("13", 1)])
def test_a_repeated_admission_is_a_move_where_the_bed_is_another(bed, said):
    bedside = Bedside().admitted()
    bedside.take(a_spot_check(1, spo2=90))

    bedside.admitted(2, bed=bed)

    assert [alert.reason for alert in bedside.alerts[1:]] == [Reason.MOVED] * said


def test_an_admission_tells_where_a_patient_lies_whose_alarm_stood_already():
    bedside = Bedside()
    bedside.take(a_spot_check(1, spo2=90))

    bedside.admitted(2)

    assert [(alert.reason, alert.ward) for alert in bedside.alerts] == [
        (Reason.LIMIT_VIOLATED, None),
        (Reason.MOVED, "7b"),
    ]


def test_a_discharge_ends_every_alarm_and_forgets_devices_and_values():
    bedside = Bedside().admitted().streams([70, 70], sign="spo2", begin=1)
    bedside.take(a_spot_check(3, systolic_pressure=70))

    evaluation = bedside.leaves(4)

    assert [(alert.phase, alert.reason) for alert in evaluation.alerts] == [
        (Phase.END, Reason.DISCHARGED)
    ] * 2
    assert {alarm.state for alarm in evaluation.ended} == {AlarmState.INACTIVE}
    assert all(alert.ward == "7b" for alert in evaluation.alerts)
    chart = bedside.chart
    assert (chart.alarms, chart.devices, chart.tracks, chart.admission) == ({}, {}, {}, None)
    assert chart.due_ms is None


def test_a_discharge_lets_go_of_a_latched_alarm_too():
    bedside = Bedside().admitted()
    bedside.take(a_spot_check(1, spo2=90))
    bedside.acknowledges(2, "spo2-low")

    evaluation = bedside.leaves(3)

    assert evaluation.alerts[0].phase is Phase.END


@pytest.mark.parametrize(
    "order",
    [
        pytest.param(an_order(Move, 1, ward="8a"), id="move"),
        pytest.param(an_order(Discharge, 1), id="discharge"),
    ],
)
def test_who_is_not_here_can_neither_move_nor_leave(order):
    bedside = Bedside()

    evaluation = bedside.take(order)

    assert evaluation.refusal is Refusal.NOT_ADMITTED
    assert (evaluation.alerts, evaluation.chart.chart_seq) == ((), 1)
    assert evaluation.chart.admission is None


def test_who_was_measured_and_never_admitted_can_be_discharged():
    bedside = Bedside()
    bedside.take(a_set(0, spo2=70))

    evaluation = bedside.leaves(1)

    assert evaluation.refusal is None
    assert bedside.open == {}


def test_a_patient_who_comes_back_begins_anew():
    bedside = Bedside().admitted()
    bedside.take(a_set(1, spo2=70))
    bedside.leaves(2)

    bedside.take(a_set(3, spo2=70))

    assert [phase for _, phase in bedside.said_of("spo2-low")] == ["start", "end", "start"]


def test_an_order_says_who_it_answers_and_when_it_was_given():
    bedside = Bedside()
    bedside.take(a_set(0, spo2=70))
    order = an_order(Admit, 5, received=9, ward="7b")

    bedside.take(order)

    alert = bedside.alerts[-1]
    assert alert.correlation_id == order.correlation_id
    assert (alert.observed_at, alert.received_at, alert.determined_at) == (at(5), at(9), at(9))
    assert bedside.alarm("spo2-low").state is AlarmState.ACTIVE


def test_a_technical_alarm_can_be_acknowledged_and_closed_like_any_other():
    bedside = Bedside().streams([97, 97], sign="spo2")
    bedside.take(a_set(500, received=2, spo2=97))

    bedside.acknowledges(3, "clock-ahead/monitor")
    bedside.closes(4, "clock-ahead/monitor")

    assert [phase for _, phase in bedside.said_of("clock-ahead/monitor")] == ["start", "update", "end"]


def test_only_the_alarm_that_was_named_is_closed():
    bedside = Bedside()
    bedside.take(a_set(0, spo2=70, systolic_pressure=70))

    bedside.closes(1, "systolic-pressure-low")

    assert list(bedside.open) == ["spo2-low"]


def test_an_admission_that_says_nothing_of_a_target_prescribes_none():
    assert not an_order(Admit, 0, ward="7b").has_spo2_target_88_92
    assert not Admission(ward="7b").has_spo2_target_88_92
    assert Admission(ward="7b").sex is Sex.UNKNOWN
