"""Protocols as text: what is wrong in one is said with its place and what would be right."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.alarms import Priority
from domain.alerts import Phase, Reason
from domain.protocol import AlarmLimit, Condition, Measure, Side
from domain.protocol_text import ProtocolError, parse_protocol
from domain.vital_signs import VitalSign
from tests.builders import PROTOCOLS, Bedside, a_limit, a_protocol, a_set, a_spot_check, a_tier, shipped

WARD_ADULT = (PROTOCOLS / "ward-adult.toml").read_text()
A_LIMIT = """
[[limits]]
id = "tested"
vital_sign = "diastolic_pressure"
unit = "mm[Hg]"
side = "high"
source = "a test"
tiers = [{ threshold = 130, priority = "medium" }]
"""
APART = '[[limits.tiers]]\nthreshold = "130"\npriority = "medium"\n'


def with_limit(change="", *, old="", new=""):
    assert old in A_LIMIT
    return WARD_ADULT + A_LIMIT.replace(old, new) + change


DURATION = 'a duration such as "15s", "10min" or "6h"'
AN_AGE = 'wanted is an age such as "2mo" or "16y"'
BAD = [
    ("not TOML", "a = = 1", "not valid TOML: Invalid value (at line 1, column 5)"),
    ("empty", "", "protocol file: protocol is missing; wanted is a table"),
    ("no id", WARD_ADULT.replace('id = "ward-adult"\n', ""), "protocol: id is missing; wanted is a text"),
    ("id a number", WARD_ADULT.replace('id = "ward-adult"', "id = 1"), "protocol: id is 1; wanted is a text"),
    (
        "unknown in identity",
        WARD_ADULT.replace("[protocol]", '[protocol]\nowner = "x"'),
        "protocol: owner is not known; known are id, source, title, version",
    ),
    (
        "unknown table",
        WARD_ADULT + "\n[extras]\n",
        "protocol file: extras is not known; known are lateness, limits, protocol, sensors, signals",
    ),
    ("no lateness", WARD_ADULT.replace("[lateness]", "[lat]"), "protocol file: lateness is missing; wanted is a table"),
    (
        "duration as number",
        WARD_ADULT.replace('reordering = "60s"', "reordering = 60"),
        f"lateness: reordering is 60; wanted is {DURATION}",
    ),
    (
        "duration without unit",
        WARD_ADULT.replace('reordering = "60s"', 'reordering = "60"'),
        f"lateness: reordering is '60'; wanted is {DURATION}",
    ),
    (
        "duration too long",
        WARD_ADULT.replace('reordering = "60s"', 'reordering = "9999999999d"'),
        "lateness: reordering is '9999999999d'; wanted is a shorter duration",
    ),
    (
        "bad duration in a table",
        WARD_ADULT.replace('spo2 = "15min"', "spo2 = 15"),
        f"lateness: streamed.spo2 is 15; wanted is {DURATION}",
    ),
    (
        "unknown sign in a table",
        WARD_ADULT.replace('spo2 = "15min"', 'spo3 = "15min"'),
        "lateness: streamed is 'spo3'; wanted is one of heart_rate, pulse,",
    ),
    (
        "lateness with more",
        WARD_ADULT.replace("[lateness]", "[lateness]\nmore = 1"),
        "lateness: more is not known; known are finding_interval,",
    ),
    (
        "signals lack one",
        WARD_ADULT.replace("clock_skew_messages = 20\n", ""),
        "signals: clock_skew_messages is missing; wanted is a whole number above 0",
    ),
    (
        "signals with more",
        WARD_ADULT.replace("[signals]", "[signals]\nmore = 1"),
        "signals: more is not known; known are all_absent_back_for,",
    ),
    (
        "a whole number that is none",
        WARD_ADULT.replace("clock_skew_messages = 20", "clock_skew_messages = 20.5"),
        "signals: clock_skew_messages is 20.5; wanted is a whole number above 0",
    ),
    (
        "nobody at all",
        WARD_ADULT.replace("ward_silent_devices = 3", "ward_silent_devices = 0"),
        "signals: ward_silent_devices is 0; wanted is a whole number above 0",
    ),
    (
        "a boolean is no number",
        WARD_ADULT.replace("ward_silent_devices = 3", "ward_silent_devices = true"),
        "signals: ward_silent_devices is True; wanted is a whole number above 0",
    ),
    ("limits no list", "limits = 1\n" + WARD_ADULT.split("[[limits]]")[0], "protocol file: limits is 1; wanted is a list of tables"),
    (
        "limits no tables",
        "limits = [1]\n" + WARD_ADULT.split("[[limits]]")[0],
        "protocol file: limits holds something else; wanted is a list of tables",
    ),
    ("limit without id", with_limit(old='id = "tested"\n'), "limits 18: id is missing; wanted is a text"),
    (
        "unknown sign",
        with_limit(old="diastolic_pressure", new="diastolic"),
        "limits tested: vital_sign is 'diastolic'; wanted is one of heart_rate, pulse,",
    ),
    ("no unit", with_limit(old='unit = "mm[Hg]"\n'), "limits tested: unit is missing; wanted is 'mm[Hg]', in which diastolic_pressure is judged"),
    ("another unit", with_limit(old="mm[Hg]", new="kPa"), "limits tested: unit is 'kPa'; wanted is 'mm[Hg]', in which diastolic_pressure is judged"),
    ("overlap", with_limit(old='"diastolic_pressure"\nunit = "mm[Hg]"', new='"heart_rate"\nunit = "/min"'), "limit tested overlaps with heart-rate-high: both judge the high side of heart_rate of the same patients;"),
    ("inverted", with_limit() + A_LIMIT.replace('"tested"', '"low"').replace('"high"', '"low"').replace("130", "131"), "limit low at 131 and tested at 130 are inverted: no value would be normal"),
    ("hole", with_limit('age_below = "2y"\n') + A_LIMIT.replace('"tested"', '"older"') + 'age_from = "30mo"\n', "limit older leaves a hole: nobody from 2y to below 30mo has a limit on the high side of diastolic_pressure"),
    ("hole above two", with_limit('age_below = "2y"\n') + A_LIMIT.replace('"tested"', '"older"') + 'age_from = "2y"\nage_below = "36mo"\n' + A_LIMIT.replace('"tested"', '"oldest"') + 'age_from = "4y"\n', "limit oldest leaves a hole: nobody from 3y to below 4y has a limit on the high side of diastolic_pressure"),
    ("unknown side", with_limit(old='"high"', new='"upper"'), "limits tested: side is 'upper'; wanted is one of low, high"),
    ("no source", with_limit(old='source = "a test"\n'), "limits tested: source is missing; wanted is a text"),
    ("misspelt key", with_limit("deadbnd = 1\n"), "limits tested: deadbnd is not known; known are age_below,"),
    ("no tiers", with_limit(old='tiers = [{ threshold = 130, priority = "medium" }]'), "limits tested: tiers is missing; wanted is a list of tables"),
    ("empty tiers", with_limit(old='{ threshold = 130, priority = "medium" }'), "limit tested has no tier"),
    ("tiers no tables", with_limit(old='{ threshold = 130, priority = "medium" }', new="130"), "limits tested: tiers holds something else; wanted is a list of tables"),
    ("threshold a text", with_limit(old="130", new='"130"'), "limits tested, tier 1: threshold is '130'; wanted is a number"),
    ("threshold nan", with_limit(old="130", new="nan"), "limits tested, tier 1: threshold is nan; wanted is a number"),
    ("threshold infinite", with_limit(old="130", new="-inf"), "limits tested, tier 1: threshold is -inf; wanted is a number"),
    ("threshold true", with_limit(old="130", new="true"), "limits tested, tier 1: threshold is True; wanted is a number"),
    ("unknown priority", with_limit(old='"medium"', new='"urgent"'), "limits tested, tier 1: priority is 'urgent'; wanted is one of low, medium, high"),
    ("tier with more", with_limit(old='"medium"', new='"medium", color = 1'), "limits tested, tier 1: color is not known; known are inclusive, on_delay, priority, threshold"),
    ("inclusive no boolean", with_limit(old='"medium"', new='"medium", inclusive = 1'), "limits tested, tier 1: inclusive is 1; wanted is true or false"),
    ("tiers out of order", with_limit(old="{ threshold = 130", new='{ threshold = 160, priority = "high" }, { threshold = 130'), "limit tested: tiers must go from the mildest to the most severe"),
    ("priorities out of order", with_limit(old="{ threshold = 130", new='{ threshold = 120, priority = "high" }, { threshold = 130'), "limit tested: tiers must go from the mildest to the most severe"),
    ("two of one id", with_limit(old='"tested"', new='"spo2-low"'), "protocol ward-adult: two limits share an id"),
    ("deadband below zero", with_limit("deadband = -1\n"), "limit tested: deadband must not be negative"),
    ("stored only", with_limit(old='"diastolic_pressure"\nunit = "mm[Hg]"', new='"body_weight"\nunit = "kg"'), "limit tested: body_weight is stored and never judged"),
    ("a fall without window", with_limit('measure = "fall"\n'), "limit tested: a fall needs a window, and side high"),
    ("a fall on the low side", with_limit('measure = "fall"\nwindow = "1h"\n', old='"high"', new='"low"'), "limit tested: a fall needs a window, and side high"),
    ("ages that exclude all", with_limit('age_from = "2y"\nage_below = "24mo"\n'), "limit tested: age_from must lie below age_below"),
    ("an age as number", with_limit("age_from = 2\n"), f"limits tested: age_from is 2; {AN_AGE}"),
    ("an age without unit", with_limit('age_below = "16"\n'), f"limits tested: age_below is '16'; {AN_AGE}"),
    ("an unknown condition", with_limit('when = ["pregnant"]\n'), "limits tested: when is 'pregnant'; wanted is one of spo2_target_88_92,"),
    ("a condition that is no word", with_limit('when = [["x"]]\n'), "limits tested: when is ['x']; wanted is one of"),
    ("conditions no list", with_limit('when = "on_oxygen"\n'), "limits tested: when is 'on_oxygen'; wanted is a list of words"),
    ("level_one a text", with_limit('level_one = "x"\n'), "limits tested: level_one is 'x'; wanted is a number"),
    ("latching a text", with_limit('latching = "yes"\n'), "limits tested: latching is 'yes'; wanted is true or false"),
    ("sensor without signs", WARD_ADULT.replace('vital_signs = ["spo2", "pulse"]\n', ""), "sensors probe: vital_signs is missing; wanted is a list of words"),
    ("sensor with more", WARD_ADULT.replace('display = "finger probe"', 'display = "finger probe"\nmore = 1'), "sensors probe: more is not known; known are display, name, vital_signs"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_protocol_that_is_wrong_is_refused_in_one_line_that_an_author_can_act_on(text, said):
    with pytest.raises(ProtocolError) as refusal:
        parse_protocol(text)

    assert str(refusal.value).startswith(said)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "where", "is_at_head"),  # of the table that it is in: there is no line of its own
    [
        ("a = 1\nb = = 1", "b = = 1", False),
        (WARD_ADULT.replace('id = "ward-adult"', "id = 1"), "id = 1", False),
        (WARD_ADULT.replace('reordering = "60s"', "reordering = 60"), "reordering = 60", False),
        (WARD_ADULT.replace('spo2 = "15min"', "spo2 = 15"), "streamed = {", False),
        (WARD_ADULT.replace("clock_skew_messages = 20\n", ""), "[signals]", False),
        (WARD_ADULT.replace('display = "ECG leads"', 'dsplay = "ECG leads"'), 'name = "leads"', True),
        (WARD_ADULT.replace("{ threshold = 85, ", '{ threshold = "85", ', 1), 'threshold = "85"', False),
        (with_limit("deadband = -1\n"), 'id = "tested"', True),
        (with_limit(old='unit = "mm[Hg]"\n'), 'id = "tested"', True),
        (with_limit(old="130", new='"130"'), 'threshold = "130"', False),
        (with_limit("deadbnd = 1\n"), "deadbnd = 1", False),
        (
            WARD_ADULT.replace('{ threshold = 160, priority = "high" }', '{ threshold = 160, priority = "now" }', 1),
            'priority = "now"', False,
        ),
        (with_limit(APART, old='tiers = [{ threshold = 130, priority = "medium" }]\n'), 'id = "tested"', True),
        (with_limit(APART + "\n[more]\n", old='tiers = [{ threshold = 130, priority = "medium" }]\n'), 'id = "tested"', True),
        (WARD_ADULT + "\n[extras]\n", "[extras]", False),
        ("extras = 1\n" + WARD_ADULT, "extras = 1", False),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(text, where, is_at_head):
    with pytest.raises(ProtocolError) as refusal:
        parse_protocol(text)

    lines = text.splitlines()
    wanted = next(number for number, line in enumerate(lines, 1) if where in line) - is_at_head
    assert refusal.value.line == wanted


def test_what_is_missing_altogether_has_no_line():
    with pytest.raises(ProtocolError) as refusal:
        parse_protocol("")

    assert refusal.value.line is None


def test_every_word_of_a_limit_is_read():
    text = with_limit(
        'deadband = 5\nclear_time = "1.5min"\nlatching = true\nwhen = ["on_oxygen", "no_spo2_target"]\n'
        'age_from = "2mo"\nage_below = "16y"\nlevel_one = 120\nmeasure = "fall"\nwindow = "1d"\n',
        old='"medium" }',
        new='"medium", on_delay = "250ms", inclusive = true }, { threshold = 160, priority = "high" }',
    )

    limit = parse_protocol(text).limit_by_id["tested"]

    assert limit == AlarmLimit(
        limit_id="tested",
        vital_sign=VitalSign.DIASTOLIC_PRESSURE,
        side=Side.HIGH,
        tiers=(
            replace(a_tier(130, inclusive=True), on_delay=timedelta(milliseconds=250)),
            a_tier(160, Priority.HIGH),
        ),
        source="a test",
        deadband=5,
        clear_time=timedelta(seconds=90),
        is_latching=True,
        measure=Measure.FALL,
        window=timedelta(days=1),
        conditions=frozenset({Condition.ON_OXYGEN, Condition.NO_SPO2_TARGET}),
        age_from=2,
        age_below=192,
        level_one=120,
    )
    assert (limit.clear_time_ms, limit.window_ms, limit.tiers[0].on_delay_ms) == (90_000, 86_400_000, 250)


def test_what_a_limit_does_not_say_is_nothing():
    limit = parse_protocol(with_limit()).limit_by_id["tested"]

    assert limit == a_limit(a_tier(130), limit_id="tested", sign=VitalSign.DIASTOLIC_PRESSURE)
    assert (limit.deadband, limit.clear_time_ms, limit.window_ms, limit.age_from) == (0, 0, 0, 0)
    assert limit.always_applies
    assert not limit.is_latching
    assert (limit.layer, limit.level_one) == ("product", None)


@pytest.mark.parametrize(
    "change", [{"age_from": 1}, {"age_below": 2399}, {"conditions": {Condition.ON_OXYGEN}}]
)
def test_a_limit_with_an_age_or_a_condition_is_not_for_everybody(change):
    assert not a_limit(**change).always_applies


def test_a_protocol_is_identified_by_its_text():
    one, other = parse_protocol(WARD_ADULT), parse_protocol(WARD_ADULT + "\n# the same limits\n")

    assert (one.protocol_id, one.version) == ("ward-adult", "1.0.0")
    assert one.title.startswith("Adult oncology ward")
    assert "Royal College of Physicians" in one.source
    assert one.digest != other.digest
    assert len(one.digest) == 64
    assert one.limits == other.limits


@pytest.mark.parametrize("name", ["ward-adult", "registry"])
def test_every_shipped_limit_has_a_source(name):
    assert all(limit.source for limit in shipped(name).limits)


def test_the_wards_rules_of_signals_and_lateness_are_read_as_written():
    signals, lateness = shipped().signals, shipped().lateness

    assert [(sensor.name, sensor.display, sensor.site) for sensor in signals.sensors] == [
        ("probe", "finger probe", None),
        ("leads", "ECG leads", None),
        ("line", "arterial line", "arterial"),
    ]
    assert (signals.sensor_off_after_ms, signals.sensor_back_for_ms) == (20_000, 60_000)
    assert (signals.overdue_intervals, signals.overdue_at_least_ms) == (3.0, 60_000)
    assert (lateness.reordering_ms, lateness.late_after_ms, lateness.finding_interval_ms) == (
        60_000,
        60_000,
        900_000,
    )
    assert lateness.streamed_ms == dict.fromkeys(
        [VitalSign.SPO2, VitalSign.RESPIRATORY_RATE, VitalSign.HEART_RATE, VitalSign.PULSE], 900_000
    )
    assert (lateness.streamed_default_ms, lateness.spot_check_ms) == (3_600_000, 21_600_000)


def adopting(before, after, *items):
    bedside = Bedside(before).take_all(items)
    bedside.protocol = after
    return bedside


def test_another_protocol_ends_the_alarms_whose_rule_is_gone_and_says_so():
    first = a_protocol(a_limit(), digest="1" * 64)
    second = a_protocol(a_limit(a_tier(50), side=Side.LOW), digest="2" * 64)
    bedside = adopting(first, second, a_set(0, heart_rate=140))

    evaluation = bedside.tick(1)

    (alert,) = evaluation.alerts
    assert (alert.phase, alert.reason, alert.rule_id) == (
        Phase.END,
        Reason.PROTOCOL_CHANGED,
        "heart_rate-high",
    )
    assert alert.protocol_hash == second.digest
    assert alert.title.endswith("heart rate ended, the rule is no longer in force")
    assert bedside.chart.protocol_hash == second.digest
    assert bedside.tick(2).alerts == ()


def test_another_protocol_resets_what_was_only_latched():
    first = a_protocol(a_limit(a_tier(130), is_latching=True), digest="1" * 64)
    second = a_protocol(a_limit(a_tier(50), side=Side.LOW), digest="2" * 64)
    bedside = adopting(first, second, a_set(0, heart_rate=140), a_set(5, heart_rate=100))

    (alert,) = bedside.tick(6).alerts

    assert (alert.phase, alert.reason) == (Phase.RESET, Reason.PROTOCOL_CHANGED)


def test_another_version_with_the_same_tiers_carries_alarms_and_pending_on():
    first = a_protocol(a_limit(a_tier(130, on_delay=15)), digest="1" * 64)
    second = a_protocol(a_limit(a_tier(120, on_delay=15)), digest="2" * 64)
    bedside = adopting(first, second, a_set(0, heart_rate=140))

    bedside.take(a_set(15, heart_rate=140))

    assert bedside.said == [(15, "start", "heart_rate-high")]


def test_a_limit_with_other_tiers_is_another_limit():
    first = a_protocol(a_limit(a_tier(130)), digest="1" * 64)
    second = a_protocol(a_limit(a_tier(120), a_tier(130, Priority.HIGH)), digest="2" * 64)
    bedside = adopting(first, second, a_set(0, heart_rate=140))

    bedside.take(a_set(1, heart_rate=140))

    assert [(alert.phase, alert.reason) for alert in bedside.alerts[1:]] == [
        (Phase.END, Reason.PROTOCOL_CHANGED),
        (Phase.START, Reason.LIMIT_VIOLATED),
    ]


def test_technical_alarms_outlive_a_change_of_protocol():
    first, second = a_protocol(digest="1" * 64), a_protocol(digest="2" * 64)
    bedside = adopting(first, second, a_set(500, received=0, spo2=97))

    bedside.tick(1)

    assert list(bedside.open) == ["clock-ahead/monitor"]


def test_a_chart_that_was_never_judged_adopts_in_silence():
    bedside = Bedside()

    assert bedside.take(a_spot_check(0, spo2=97)).alerts == ()
    assert bedside.chart.protocol_hash == shipped().digest


def test_one_is_a_whole_number_above_zero():
    one = parse_protocol(WARD_ADULT.replace("ward_silent_devices = 3", "ward_silent_devices = 1"))

    assert one.signals.ward_silent_devices == 1
