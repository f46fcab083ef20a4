"""Reading recordings of both forms, and saying where one is wrong."""

import pytest

from worker.replay.errors import RecordingError
from worker.replay.mapping import built_in
from worker.replay.recordings import read, recognised

BEDSIDE, ICU = built_in()

WIDE = "minute,HR,SpO2,NBPSys,Other\nmin,bpm,%,mmHg,x\n"
LONG = "Time,Parameter,Value\n"


def told(recording):
    return [
        (
            each.line,
            each.after_ms,
            [(value.vital_sign.value, value.value, value.site) for value in each.values],
        )
        for each in recording.sets
    ]


def test_a_wide_row_is_one_set_with_its_zeros_and_without_its_empty_cells():
    recording = read("a.csv", WIDE + "0,61.5,0.0,,\n1,,97.0,118.0,7\n", BEDSIDE)

    assert told(recording) == [
        (3, 0, [("heart_rate", 61.5, None), ("spo2", 0.0, None)]),
        (4, 60_000, [("spo2", 97.0, None), ("systolic_pressure", 118.0, "cuff")]),
    ]
    assert recording.not_mapped == {"Other": 1}


def test_a_row_with_nothing_in_it_is_no_set():
    assert read("a.csv", WIDE + "0,,,,\n", BEDSIDE).sets == ()


def test_the_rows_of_one_time_are_one_set():
    recording = read("1.txt", LONG + "00:25,HR,127\n00:25,NISysABP,111\n27:05,Temp,38.9\n", ICU)

    assert told(recording) == [
        (2, 25 * 60_000, [("heart_rate", 127.0, None), ("systolic_pressure", 111.0, "cuff")]),
        (4, (27 * 60 + 5) * 60_000, [("body_temperature", 38.9, None)]),
    ]


def test_what_describes_the_stay_is_no_reading_and_not_even_counted():
    recording = read("1.txt", LONG + "00:00,RecordID,1\n00:00,Age,40\n00:00,ICUType,2\n00:00,Gender,1\n", ICU)

    assert recording.sets == ()
    assert not recording.not_mapped


def test_minus_one_is_a_weight_that_was_not_recorded_but_any_other_sign_keeps_it():
    recording = read("1.txt", LONG + "00:00,Weight,-1\n00:00,Height,-1\n00:00,HR,-1\n", ICU)

    assert told(recording) == [(4, 0, [("heart_rate", -1.0, None)])]


@pytest.mark.parametrize(("score", "derived"), [("15", ["A"]), ("14", ["C"]), ("13", []), ("3", [])])
def test_consciousness_follows_from_a_coma_scale_of_15_and_14_only(score, derived):
    (observed,) = read("1.txt", f"{LONG}01:00,GCS,{score}\n", ICU).sets

    assert [value.value for value in observed.values if value.vital_sign == "consciousness"] == derived
    assert observed.values[0].value == float(score)


def test_laboratory_values_and_inspired_oxygen_are_counted_as_not_mapped():
    recording = read("1.txt", LONG + "00:00,Lactate,1\n00:00,FiO2,0.4\n00:10,Lactate,2\n", ICU)

    assert recording.not_mapped == {"Lactate": 2, "FiO2": 1}
    assert recording.sets == ()


def test_a_sign_that_stands_twice_at_one_time_begins_another_set_so_that_neither_is_lost():
    recording = read("1.txt", LONG + "27:23,Temp,36.6\n27:23,HR,80\n27:23,Temp,36\n", ICU)

    assert told(recording) == [
        (2, 98_580_000, [("body_temperature", 36.6, None), ("heart_rate", 80.0, None)]),
        (4, 98_580_000, [("body_temperature", 36.0, None)]),
    ]


def test_two_sites_are_not_the_same_sign_twice():
    recording = read("1.txt", LONG + "01:00,NISysABP,111\n01:00,SysABP,115\n", ICU)

    assert len(recording.sets) == 1


@pytest.mark.parametrize(
    ("text", "line", "wrong"),
    [
        (WIDE + "0,61,97,,\n1,61,97\n", 4, "must have 5 cells"),
        (WIDE + "0,sixty,97,,\n", 3, "HR must be a number"),
        (WIDE + "0,nan,97,,\n", 3, "HR must be a number"),
        (WIDE + "zero,61,97,,\n", 3, "minute must be a number"),
        (WIDE + "5,61,97,,\n4,61,97,,\n", 4, "time order"),
        ("minute,HR\nmin,kPa\n0,61\n", 2, "HR must be in bpm, not 'kPa'"),
        ("minute,HR\n", 2, "must hold the units"),
        ("", 1, "first row must be"),
        ("second,HR\ns,bpm\n", 1, "first row must be minute"),
    ],
)
def test_a_wide_file_that_is_wrong_is_refused_with_its_line(text, line, wrong):
    with pytest.raises(RecordingError, match=rf"a\.csv, line {line}: .*{wrong}"):
        read("a.csv", text, BEDSIDE)


@pytest.mark.parametrize(
    ("text", "line", "wrong"),
    [
        (LONG + "00:00,HR\n", 2, "must have 3 cells"),
        (LONG + "00:00,HR,fast\n", 2, "HR must be a number"),
        (LONG + "0.5,HR,80\n", 2, "HH:MM"),
        (LONG + "00:60,HR,80\n", 2, "HH:MM"),
        (LONG + "0:5,HR,80\n", 2, "HH:MM"),
        (LONG + "-1:00,HR,80\n", 2, "HH:MM"),
        (LONG + "01:00,HR,80\n\n00:59,HR,80\n", 4, "time order"),
        ("When,What,Value\n", 1, "first row must be Time,Parameter,Value"),
    ],
)
def test_a_long_file_that_is_wrong_is_refused_with_its_line(text, line, wrong):
    with pytest.raises(RecordingError, match=rf"1\.txt, line {line}: .*{wrong}"):
        read("1.txt", text, ICU)


def test_an_error_names_no_value_of_a_patient():
    with pytest.raises(RecordingError) as refused:
        read("1.txt", LONG + "00:00,HR,123oops\n", ICU)

    assert "123oops" not in str(refused.value)


def test_the_first_row_tells_which_kind_of_recording_it_is():
    assert recognised("a.csv", WIDE, [BEDSIDE, ICU]) is BEDSIDE
    assert recognised("1.txt", LONG, [BEDSIDE, ICU]) is ICU
    with pytest.raises(RecordingError, match=r"first row must be minute,.* or Time,Parameter,Value"):
        recognised("x.csv", "a,b\n", [BEDSIDE, ICU])
