import io
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from domain.alarms import AlarmState, Kind, Priority
from domain.alerts import Breach, Flag, Reason
from domain.observations import Mode
from domain.vital_signs import VitalSign
from tests.unit.watch.announced import TEN, alert_arrival, an_alert, at, beat_arrival, the_end
from worker.watch_view import page
from worker.watch_ward import WardView

PATIENCE = timedelta(seconds=15)


def shown(view, *, lanes=1, now=TEN, zone="UTC", width=160):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(page(view, lanes=lanes, now=now, zone=ZoneInfo(zone), patience=PATIENCE))
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def a_view(*alerts):
    view = WardView()
    view.take_heartbeat(beat_arrival(0, TEN))
    for sequence, alert in enumerate(alerts, start=1):
        view.take_alert(alert_arrival(alert, sequence))
    return view


def test_the_page_of_a_ward_with_alarms():
    consciousness = Breach(side="high", threshold=1.0, is_inclusive=True, layer="protocol", source="test")
    fall = Breach(
        side="low", measure="fall", threshold=30.0, is_inclusive=False, layer="protocol", source="test"
    )
    heart_rate = Breach(side="high", threshold=130.0, is_inclusive=False, layer="protocol", source="test")
    view = a_view(
        an_alert("over-by-now", vital_sign=VitalSign.HEART_RATE, value=140.0, breach=heart_rate, bed="1"),
        an_alert("hr-high", priority=Priority.MEDIUM, vital_sign=VitalSign.HEART_RATE, value=131.0, breach=heart_rate,
                 bed="12", patient_id="P-000077", onset_at=at(-200), state=AlarmState.ACKNOWLEDGED),
        an_alert("sensor-off/probe", kind=Kind.TECHNICAL, priority=Priority.LOW, vital_sign=None, value=None, breach=None,
                 bed=None, mode=Mode.DEMO, reason=Reason.SENSOR_OFF, title="Patient …0042: probe off: check the sensor"),
        an_alert(flags=(Flag.SUSPECT,)),
        an_alert("sbp-fall", vital_sign=VitalSign.SYSTOLIC_PRESSURE, value=99.0, breach=fall, bed="5", onset_at=at(60)),
        an_alert("acvpu", vital_sign=VitalSign.CONSCIOUSNESS, value=3.0, breach=consciousness, bed="2", onset_at=at(-9000)),
        the_end("over-by-now", vital_sign=VitalSign.HEART_RATE, value=140.0, breach=heart_rate, bed="1"),
    )  # fmt: skip

    lines = shown(view, now=at(65), zone="Europe/Madrid", width=180)

    assert lines == [
        "Vigil  11:01:05    3 HIGH   1 MEDIUM   1 LOW    DEMO DATA SHOWN",
        "NOT WATCHED: lane 0 no heartbeat for 65 s",
        "Priority  Bed    Patient  Alarm                        Value                  Limit                  Since             State         Data",
        " HIGH     7B 2   …0042    consciousness                responds to pain only  new confusion or more  08:30:00 (2 h)",
        " HIGH     7B 4   …0042    SpO2 low, suspect            84 %                   below 85 %             11:00:00 (1 min)",
        " HIGH     7B 5   …0042    systolic pressure fell       99 mmHg                a fall of 30 mmHg      11:01:00 (5 s)",
        " MEDIUM   7B 12  …0077    heart rate high              131 /min               above 130 /min         10:56:40 (4 min)  acknowledged",
        " LOW      7B     …0042    probe off: check the sensor                                                11:00:00 (1 min)                DEMO",
        "Over",
        "Ended     Bed   Patient  Alarm            Priority  How      Data",
        "11:01:00  7B 1  …0042    heart rate high  high      cleared",
    ]


def test_a_ward_without_alarms_says_so():
    assert shown(a_view()) == [
        "Vigil  10:00:00    0 HIGH   0 MEDIUM   0 LOW",
        "watched: 1 lanes, every heartbeat within 0 s",
        "no alarm stands",
    ]


@pytest.mark.parametrize(
    ("lanes", "seconds", "line"),
    [
        pytest.param(1, 15, "watched: 1 lanes, every heartbeat within 15 s", id="just patient enough"),
        pytest.param(1, 16, "NOT WATCHED: lane 0 no heartbeat for 16 s", id="too long"),
        pytest.param(2, 3, "NOT WATCHED: lane 1 no heartbeat", id="never"),
        pytest.param(1, -3, "watched: 1 lanes, every heartbeat within 0 s", id="clocks differ"),
    ],
)
def test_a_lane_without_a_heartbeat_is_told_loudly(lanes, seconds, line):
    assert shown(a_view(), lanes=lanes, now=at(seconds))[1] == line


def test_who_knows_nothing_does_not_say_that_all_is_well():
    assert shown(WardView(), lanes=2)[1] == "NOT WATCHED: lane 0 no heartbeat, lane 1 no heartbeat"


def test_the_priority_is_told_by_colour_too():
    console = Console(file=io.StringIO(), width=120, force_terminal=True, color_system="standard")

    console.print(page(a_view(an_alert()), lanes=1, now=TEN, zone=None, patience=PATIENCE))

    assert "\x1b[1;37;41m HIGH " in console.file.getvalue()


def test_only_the_last_four_characters_of_a_patient_are_shown():
    assert "P-000042" not in "\n".join(shown(a_view(an_alert())))


def test_what_came_from_outside_cannot_steer_the_terminal_or_be_markup():
    view = a_view(an_alert(bed="\x1b[31m\n", ward="[red]W[/red]", patient_id="\x07\x1b]0"))

    text = "\n".join(shown(view))

    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[red]W[/red] ?[31m?" in text
