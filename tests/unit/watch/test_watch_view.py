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
from worker.watch_heading import Expected
from worker.watch_view import Space, page
from worker.watch_ward import WardView

PATIENCE = timedelta(seconds=15)


def shown(view, *, lanes=1, now=TEN, zone="UTC", width=160, height=None, notes=()):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    expected = Expected(lanes, PATIENCE)
    space = Space(width, height)
    console.print(page(view, expected=expected, now=now, zone=ZoneInfo(zone), space=space, notes=notes))
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def a_view(*alerts):
    view = WardView()
    view.take_heartbeat(beat_arrival(0, TEN))
    for sequence, alert in enumerate(alerts, start=1):
        view.take_alert(alert_arrival(alert, sequence))
    return view


CONSCIOUSNESS = Breach(side="high", threshold=1.0, is_inclusive=True, layer="protocol", source="test")
FALL = Breach(side="low", measure="fall", threshold=30.0, is_inclusive=False, layer="protocol", source="test")
HEART_RATE = Breach(side="high", threshold=130.0, is_inclusive=False, layer="protocol", source="test")


def a_ward(mode=Mode.REAL):
    """A ward with an alarm of every kind, one of them over; but for one they are of *mode*, which may be demo too."""
    fast = {"vital_sign": VitalSign.HEART_RATE, "breach": HEART_RATE, "mode": mode}
    return a_view(
        an_alert("over-by-now", value=140.0, bed="1", **fast),
        an_alert("hr-high", priority=Priority.MEDIUM, value=131.0, bed="12", patient_id="P-000077", onset_at=at(-200),
                 state=AlarmState.ACKNOWLEDGED, **fast),
        an_alert("sensor-off/probe", kind=Kind.TECHNICAL, priority=Priority.LOW, vital_sign=None, value=None, breach=None,
                 bed=None, mode=Mode.DEMO, reason=Reason.SENSOR_OFF, title="Patient …0042: probe off, check the sensor"),
        an_alert(flags=(Flag.SUSPECT,), mode=mode),
        an_alert("sbp-fall", vital_sign=VitalSign.SYSTOLIC_PRESSURE, value=99.0, breach=FALL, bed="5", onset_at=at(60),
                 mode=mode),
        an_alert("acvpu", vital_sign=VitalSign.CONSCIOUSNESS, value=3.0, breach=CONSCIOUSNESS, bed="2",
                 onset_at=at(-9000), mode=mode),
        the_end("over-by-now", value=140.0, bed="1", **fast),
    )  # fmt: skip


def test_the_page_of_a_ward_at_180_columns():
    assert shown(a_ward(), now=at(65), zone="Europe/Madrid", width=180) == [
        "Vigil  11:01:05    3 HIGH   1 MEDIUM   1 LOW    DEMO DATA SHOWN",
        "NO ALERTS ARE ARRIVING: no sign of life for 1 min",
        "Priority  Bed    Patient  Alarm                           Value                  Limit                  Since             Data",
        " HIGH     7B 2   …0042    consciousness                   responds to pain only  new confusion or more  08:30:00 (2 h)",
        " HIGH     7B 4   …0042    SpO2 low, suspect               84 %                   below 85 %             11:00:00 (1 min)",
        " HIGH     7B 5   …0042    systolic pressure fell          99 mmHg                a fall of 30 mmHg      11:01:00 (5 s)",
        " MEDIUM   7B 12  …0077    heart rate high (acknowledged)  131 /min               above 130 /min         10:56:40 (4 min)",
        " LOW      7B     …0042    probe off, check the sensor                                                   11:00:00 (1 min)  DEMO",
        "Over",
        "Ended     Bed   Patient  Alarm            Priority  How      Data",
        "11:01:00  7B 1  …0042    heart rate high  high      cleared",
    ]


def test_the_page_of_a_ward_at_120_columns():
    assert shown(a_ward(), now=at(65), zone="Europe/Madrid", width=120) == [
        "Vigil  11:01:05    3 HIGH   1 MEDIUM   1 LOW    DEMO DATA SHOWN",
        "NO ALERTS ARE ARRIVING: no sign of life for 1 min",
        "Priority  Bed    Patient  Alarm                     Value                  Limit                  Since             Data",
        " HIGH     7B 2   …0042    consciousness             responds to pain only  new confusion or more  08:30:00 (2 h)",
        " HIGH     7B 4   …0042    SpO2 low, suspect         84 %                   below 85 %             11:00:00 (1 min)",
        " HIGH     7B 5   …0042    systolic pressure fell    99 mmHg                a fall of 30 mmHg      11:01:00 (5 s)",
        " MEDIUM   7B 12  …0077    heart rate high           131 /min               above 130 /min         10:56:40 (4 min)",
        "                          (acknowledged)",
        " LOW      7B     …0042    probe off, check the                                                    11:00:00 (1 min)  DEMO",
        "                          sensor",
        "Over",
        "Ended     Bed   Patient  Alarm            Priority  How      Data",
        "11:01:00  7B 1  …0042    heart rate high  high      cleared",
    ]


def test_the_page_of_a_ward_at_80_columns():
    assert shown(a_ward(), now=at(65), zone="Europe/Madrid", width=80) == [
        "Vigil  11:01:05    3 HIGH   1 MEDIUM   1 LOW    DEMO DATA SHOWN",
        "NO ALERTS ARE ARRIVING: no sign of life for 1 min",
        "Priority  Bed    Patient  Alarm                   Value              For    Data",
        " HIGH     7B 2   …0042    consciousness           responds to pain   2 h",
        "                                                  only",
        " HIGH     7B 4   …0042    SpO2 low, suspect       84 %               1 min",
        " HIGH     7B 5   …0042    systolic pressure fell  99 mmHg            5 s",
        " MEDIUM   7B 12  …0077    heart rate high         131 /min           4 min",
        "                          (acknowledged)",
        " LOW      7B     …0042    probe off, check the                       1 min  DEMO",
        "                          sensor",
        "Over",
        "Ended     Bed   Patient  Alarm            Priority  How      Data",
        "11:01:00  7B 1  …0042    heart rate high  high      cleared",
    ]


def test_the_page_of_a_demonstration_at_80_columns_says_once_whose_data_it_is():
    assert shown(a_ward(Mode.DEMO), now=at(3), zone="Europe/Madrid", width=80) == [
        "Vigil  11:00:03    3 HIGH   1 MEDIUM   1 LOW    ALL DEMO DATA",
        "alerts are arriving (checked 3 s ago)",
        "Priority  Bed    Patient  Alarm                   Value         Since",
        " HIGH     7B 2   …0042    consciousness           responds to   08:30:00 (2 h)",
        "                                                  pain only",
        " HIGH     7B 4   …0042    SpO2 low, suspect       84 %          11:00:00 (3 s)",
        " HIGH     7B 5   …0042    systolic pressure fell  99 mmHg       11:01:00 (0 s)",
        " MEDIUM   7B 12  …0077    heart rate high         131 /min      10:56:40 (3 min)",
        "                          (acknowledged)",
        " LOW      7B     …0042    probe off, check the                  11:00:00 (3 s)",
        "                          sensor",
        "Over",
        "Ended     Bed   Patient  Alarm            Priority  How",
        "11:01:00  7B 1  …0042    heart rate high  high      cleared",
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120])
def test_however_narrow_each_alarm_keeps_its_bed_its_words_and_its_priority(width):
    text = " ".join("\n".join(shown(a_ward(), now=at(3), width=width)).split())

    assert all(f"7B {bed}" in text for bed in (2, 4, 5, 12))
    assert all(
        word in text for word in ("HIGH", "MEDIUM", "LOW", "probe off", "SpO2", "consciousness", "fell")
    )


def test_no_line_is_wider_than_the_terminal():
    long = an_alert("b", ward="Haematology and stem cell transplantation", bed="12")

    assert max(len(line) for line in shown(a_view(long), width=80)) <= 80


def many(high, medium, low):
    counts = {Priority.LOW: low, Priority.MEDIUM: medium, Priority.HIGH: high}
    return a_view(
        *(
            an_alert(f"{priority}-{number}", priority=priority, bed=f"{priority.word}-{number}")
            for priority, count in counts.items()
            for number in range(count)
        )
    )


@pytest.mark.parametrize(
    ("counts", "line"),
    [
        pytest.param(
            (2, 20, 3), "NO ROOM FOR 2 MEDIUM, 3 LOW: make this window taller", id="the least urgent"
        ),
        pytest.param(
            (30, 1, 0), "NO ROOM FOR 10 HIGH, 1 MEDIUM: make this window taller", id="even HIGH ones"
        ),
        pytest.param((2, 20, 0), "NO ROOM FOR 2 MEDIUM: make this window taller", id="one line too few"),
    ],
)
def test_alarms_for_which_there_is_no_room_are_counted_by_priority(counts, line):
    lines = shown(many(*counts), width=80, height=24)

    assert len(lines) == 24
    assert lines[-1] == line
    assert lines[3].startswith(" HIGH ")


def test_alarms_that_just_fit_are_all_shown():
    lines = shown(many(2, 19, 0), width=80, height=24)

    assert len(lines) == 24
    assert "NO ROOM" not in "\n".join(lines)


def test_a_page_that_is_printed_has_room_for_all():
    lines = shown(many(30, 30, 0), width=80)

    assert sum(line.startswith((" HIGH ", " MEDIUM ")) for line in lines) == 60


def test_what_wraps_counts_with_all_its_lines():
    title = "Bed 4 (…0042): no signal on any channel, check the patient now"
    wordy = [
        an_alert(f"a-{n}", bed=str(n), vital_sign=None, value=None, breach=None, title=title)
        for n in range(20)
    ]

    lines = shown(a_view(*wordy), width=60, height=24)

    assert 22 <= len(lines) <= 24  # each takes three
    assert lines[-1].startswith("NO ROOM FOR ")
    assert sum(" HIGH " in line for line in lines[3:-1]) + int(lines[-1].split()[3]) == 20


def test_what_is_over_is_shown_where_alarms_leave_room():
    lines = shown(a_ward(), now=at(3), width=120, height=10)

    assert len(lines) <= 10
    assert "Over" not in lines
    assert "NO ROOM" not in "\n".join(lines)


NOTES = ("metrics http://127.0.0.1:8000/metrics", "health http://127.0.0.1:8000/health/ready")


def test_notes_stand_at_the_end_side_by_side_where_they_fit():
    assert shown(a_view(), width=80, notes=NOTES)[-2:] == list(NOTES)
    assert shown(a_view(), width=120, notes=NOTES)[-1] == "   ".join(NOTES)


def test_notes_give_way_to_a_high_alarm_and_to_no_other():
    all_high, last_medium = (
        shown(many(*counts), width=80, height=24, notes=NOTES) for counts in [(20, 0, 0), (18, 2, 0)]
    )

    assert "NO ROOM" not in "\n".join(all_high)
    assert NOTES[0] not in all_high
    assert last_medium[-3:] == ["NO ROOM FOR 2 MEDIUM: make this window taller", *NOTES]


def test_a_ward_without_alarms_says_so():
    assert shown(a_view()) == [
        "Vigil  10:00:00    0 HIGH   0 MEDIUM   0 LOW",
        "alerts are arriving (checked 0 s ago)",
        "no alarm stands",
    ]


@pytest.mark.parametrize(
    ("lanes", "seconds", "line"),
    [
        pytest.param(1, 15, "alerts are arriving (checked 15 s ago)", id="just patient enough"),
        pytest.param(1, 16, "NO ALERTS ARE ARRIVING: no sign of life for 16 s", id="too long"),
        pytest.param(
            3,
            3,
            "NO ALERTS ARE ARRIVING for some patients (lanes 1, 2): no sign of life yet",
            id="never from some",
        ),
        pytest.param(
            2, 23, "NO ALERTS ARE ARRIVING: no sign of life for 23 s", id="one never, the other too long ago"
        ),
        pytest.param(1, -3, "alerts are arriving (checked 0 s ago)", id="clocks differ"),
    ],
)
def test_a_lane_without_a_heartbeat_is_told_loudly(lanes, seconds, line):
    assert shown(a_view(), lanes=lanes, now=at(seconds))[1] == line


def test_of_lanes_that_are_silent_for_different_times_the_last_sign_of_life_counts():
    view = a_view()
    view.take_heartbeat(beat_arrival(1, at(10)))

    assert shown(view, lanes=2, now=at(40))[1] == "NO ALERTS ARE ARRIVING: no sign of life for 30 s"


def test_who_knows_nothing_does_not_say_that_all_is_well():
    assert shown(WardView(), lanes=2)[1] == "NO ALERTS ARE ARRIVING: no sign of life yet"


@pytest.mark.parametrize(
    ("zone", "since"),
    [
        pytest.param("UTC", "2026-11-22 23:30 (11 h)", id="yesterday here"),
        pytest.param("Europe/Madrid", "00:30:00 (11 h)", id="today where the reader is"),
    ],
)
def test_what_was_not_today_is_told_with_its_date(zone, since):
    view = a_view(an_alert(onset_at=at(-10.5 * 3600)))

    assert since in shown(view, now=at(3600), zone=zone)[3]


def test_after_midnight_where_the_reader_is_the_day_is_a_new_one():
    view = a_view(an_alert(onset_at=at(13 * 3600)), an_alert("b", onset_at=at(13.5 * 3600 + 60)))

    lines = shown(view, now=at(14 * 3600 - 60), zone="Europe/Madrid")

    assert "00:00:00 (59 min)" in lines[3]
    assert shown(view, now=at(15 * 3600), zone="UTC")[3].endswith("2026-11-23 23:00 (2 h)")


def test_an_end_that_was_not_today_is_told_with_its_date():
    view = a_view(an_alert(), the_end(ended_at=at(-90 * 86400)))

    assert shown(view, width=80)[-1].startswith("2026-08-25 10:00  7B 4")


def test_the_priority_is_told_by_colour_too():
    console = Console(file=io.StringIO(), width=120, force_terminal=True, color_system="standard")

    console.print(
        page(a_view(an_alert()), expected=Expected(1, PATIENCE), now=TEN, zone=None, space=Space(120))
    )

    assert "\x1b[1;37;41m HIGH " in console.file.getvalue()


def test_only_the_last_four_characters_of_a_patient_are_shown():
    assert "P-000042" not in "\n".join(shown(a_view(an_alert())))


def test_what_came_from_outside_cannot_steer_the_terminal_or_be_markup():
    view = a_view(an_alert(bed="\x1b[31m\n", ward="[red]W[/red]", patient_id="\x07\x1b]0"))

    text = "\n".join(shown(view))

    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[red]W[/red] ?[31m?" in text
