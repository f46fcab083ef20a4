"""NEWS2 as the Royal College of Physicians publishes it, and where others have got it wrong."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vitalscore import score_news2 as independent_score

from domain.news2 import Band, Findings, News2, Part, Spo2Scale, score_news2
from domain.vital_signs import Consciousness, VitalSign, in_canonical_unit

WELL = Findings(
    respiratory_rate=16,
    spo2=98,
    is_on_oxygen=False,
    systolic_pressure=120,
    pulse=70,
    consciousness=Consciousness.A,
    temperature=36.8,
)
PARTS = {
    Part.RESPIRATORY_RATE: "respiratory_rate",
    Part.SPO2: "spo2",
    Part.OXYGEN: "is_on_oxygen",
    Part.SYSTOLIC_PRESSURE: "systolic_pressure",
    Part.PULSE: "pulse",
    Part.CONSCIOUSNESS: "consciousness",
    Part.TEMPERATURE: "temperature",
}


def score(**findings: object) -> News2:
    return score_news2(replace(WELL, **findings))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rate", "points"),
    [(8, 3), (9, 1), (11, 1), (12, 0), (20, 0), (21, 2), (24, 2), (25, 3)],
)
def test_respiratory_rate_scores_as_in_the_chart(rate: float, points: int) -> None:
    assert score(respiratory_rate=rate).parts[Part.RESPIRATORY_RATE] == points


@pytest.mark.parametrize(("spo2", "points"), [(91, 3), (92, 2), (93, 2), (94, 1), (95, 1), (96, 0)])
def test_spo2_scores_by_scale_1_unless_another_is_prescribed(spo2: float, points: int) -> None:
    assert score(spo2=spo2).parts[Part.SPO2] == points


@pytest.mark.parametrize(
    ("spo2", "on_air", "on_oxygen"),
    [(83, 3, 3), (84, 2, 2), (85, 2, 2), (86, 1, 1), (87, 1, 1), (88, 0, 0), (90, 0, 0), (92, 0, 0),
     (93, 0, 1), (94, 0, 1), (95, 0, 2), (96, 0, 2), (97, 0, 3), (100, 0, 3)],
)  # fmt: skip
def test_scale_2_minds_a_high_saturation_only_on_oxygen(spo2: float, on_air: int, on_oxygen: int) -> None:
    air = score(spo2=spo2, scale=Spo2Scale.TWO)
    oxygen = score(spo2=spo2, scale=Spo2Scale.TWO, is_on_oxygen=True)

    assert air.parts[Part.SPO2] == on_air
    assert oxygen.parts[Part.SPO2] == on_oxygen


@pytest.mark.parametrize(
    ("pressure", "points"), [(90, 3), (91, 2), (100, 2), (101, 1), (110, 1), (111, 0), (219, 0), (220, 3)]
)
def test_systolic_pressure_scores_as_in_the_chart(pressure: float, points: int) -> None:
    assert score(systolic_pressure=pressure).parts[Part.SYSTOLIC_PRESSURE] == points


@pytest.mark.parametrize(
    ("pulse", "points"),
    [(40, 3), (41, 1), (50, 1), (51, 0), (90, 0), (91, 1), (110, 1), (111, 2), (130, 2), (131, 3)],
)
def test_pulse_scores_as_in_the_chart(pulse: float, points: int) -> None:
    assert score(pulse=pulse).parts[Part.PULSE] == points


@pytest.mark.parametrize("level", list(Consciousness))
def test_anything_but_alert_is_a_red_part(level: Consciousness) -> None:
    assert score(consciousness=level).is_red is (level is not Consciousness.A)


@pytest.mark.parametrize(
    ("temperature", "points"),
    [(35.0, 3), (35.1, 1), (36.0, 1), (36.1, 0), (37.5, 0), (38.0, 0), (38.1, 1), (38.5, 1), (39.0, 1), (39.1, 2)],
)  # fmt: skip
def test_temperature_scores_as_in_the_chart(temperature: float, points: int) -> None:
    assert score(temperature=temperature).parts[Part.TEMPERATURE] == points


@pytest.mark.parametrize(
    ("temperature", "points"), [(39.0999985, 2), (38.05, 1), (38.04, 0), (35.04, 3), (35.05, 1), (36.05, 0)]
)
def test_a_temperature_is_rounded_half_up_once_and_falls_between_no_bands(
    temperature: float, points: int
) -> None:
    assert score(temperature=temperature).parts[Part.TEMPERATURE] == points


@pytest.mark.parametrize(("fahrenheit", "points"), [(100.4, 0), (100.5, 1), (95.0, 3), (102.3, 2)])
def test_fahrenheit_is_converted_exactly_before_it_is_scored(fahrenheit: float, points: int) -> None:
    temperature = in_canonical_unit(VitalSign.BODY_TEMPERATURE, fahrenheit, "[degF]")

    assert score(temperature=temperature).parts[Part.TEMPERATURE] == points


@pytest.mark.parametrize(
    ("part", "value", "points"),
    [
        (Part.SPO2, 91.5, 2), (Part.SPO2, 91.4, 3), (Part.RESPIRATORY_RATE, 20.5, 2), (Part.RESPIRATORY_RATE, 20.4, 0),
        (Part.PULSE, 90.5, 1), (Part.PULSE, 130.5, 3), (Part.SYSTOLIC_PRESSURE, 90.5, 2), (Part.SYSTOLIC_PRESSURE, 219.5, 3),
    ],
)  # fmt: skip
def test_a_monitors_tenths_are_rounded_to_whole_numbers_first(part: Part, value: float, points: int) -> None:
    assert score(**{PARTS[part]: value}).parts[part] == points


def test_a_red_part_alone_is_low_medium() -> None:
    scored = score(respiratory_rate=25)

    assert (scored.total, scored.band, scored.is_red) == (3, Band.LOW_MEDIUM, True)


def test_the_red_part_is_still_told_where_the_total_is_high() -> None:
    scored = score(respiratory_rate=25, systolic_pressure=85, pulse=95)

    assert (scored.total, scored.band, scored.is_red) == (7, Band.HIGH, True)


def test_oxygen_is_a_part_of_its_own_and_never_red() -> None:
    scored = score(spo2=94, is_on_oxygen=True)

    assert (scored.parts[Part.SPO2], scored.parts[Part.OXYGEN]) == (1, 2)
    assert not scored.is_red


def test_an_example_that_is_often_published_as_6_is_5() -> None:
    scored = score(respiratory_rate=21, spo2=93, systolic_pressure=120, pulse=95, temperature=37.5)

    assert (scored.total, scored.parts[Part.TEMPERATURE]) == (5, 0)


def test_a_missing_part_is_not_normal_and_leaves_no_total() -> None:
    scored = score(consciousness=None, respiratory_rate=25)

    assert scored.total is None
    assert scored.missing == (Part.CONSCIOUSNESS,)
    assert scored.is_red


@pytest.mark.parametrize(
    ("findings", "band"),
    [
        ({"respiratory_rate": 25, "pulse": 111}, Band.MEDIUM),
        ({"respiratory_rate": 25, "pulse": 111, "systolic_pressure": 100}, Band.HIGH),
        ({"respiratory_rate": 25}, Band.LOW_MEDIUM),
        ({"pulse": 95}, None),
    ],
)
def test_what_is_known_of_an_incomplete_score_is_the_least_it_can_be(
    findings: dict[str, object], band: Band | None
) -> None:
    scored = score(consciousness=None, **findings)

    assert scored.total is None
    assert scored.band is band


def test_oxygen_that_nobody_recorded_is_unknown_and_not_air() -> None:
    scored = score(is_on_oxygen=None)

    assert scored.missing == (Part.OXYGEN,)


@pytest.mark.parametrize(("spo2", "is_known"), [(92, True), (92.4, True), (92.5, False), (97, False)])
def test_scale_2_cannot_score_a_high_saturation_without_knowing_of_oxygen(
    spo2: float, is_known: bool
) -> None:
    scored = score(spo2=spo2, is_on_oxygen=None, scale=Spo2Scale.TWO)

    assert (Part.SPO2 in scored.parts) is is_known


@pytest.mark.parametrize(
    ("findings", "total", "band"),
    [
        ({}, 0, Band.LOW),
        ({"respiratory_rate": 24, "spo2": 93, "is_on_oxygen": True, "systolic_pressure": 105, "pulse": 105,
          "temperature": 38.5}, 9, Band.HIGH),
        ({"pulse": 111, "temperature": 39.1}, 4, Band.LOW),
        ({"pulse": 111, "temperature": 39.1, "spo2": 95}, 5, Band.MEDIUM),
        ({"pulse": 111, "temperature": 39.1, "spo2": 93}, 6, Band.MEDIUM),
        ({"respiratory_rate": 8, "spo2": 91, "is_on_oxygen": True, "systolic_pressure": 90, "pulse": 40,
          "consciousness": Consciousness.U, "temperature": 35.0}, 20, Band.HIGH),
    ],
)  # fmt: skip
def test_a_whole_score_falls_into_its_band(findings: dict[str, object], total: int, band: Band) -> None:
    scored = score(**findings)

    assert (scored.total, scored.band) == (total, band)


GRID = {
    "respiratory_rate": (8, 9, 11, 12, 20, 21, 24, 25),
    "spo2": (83, 84, 85, 86, 87, 88, 91, 92, 93, 94, 95, 96, 97),
    "is_on_oxygen": (False, True),
    "systolic_pressure": (90, 91, 100, 101, 110, 111, 219, 220),
    "pulse": (40, 41, 50, 51, 90, 91, 110, 111, 130, 131),
    "consciousness": (Consciousness.A, Consciousness.C),
    "temperature": (35.0, 35.1, 36.0, 36.1, 38.0, 38.1, 39.0, 39.1),
}


@pytest.mark.parametrize("scale", list(Spo2Scale))
def test_every_set_of_boundary_values_scores_as_an_independent_library_says(scale: Spo2Scale) -> None:
    compared = 0

    for values in product(*GRID.values()):
        findings = Findings(**dict(zip(GRID, values, strict=True)), scale=scale)  # type: ignore[arg-type]
        ours, theirs = score_news2(findings), _independently(findings)
        assert list(ours.parts.values()) == theirs[:-1], findings
        assert ours.total == theirs[-1], findings
        compared += 1

    assert compared == 266_240


def _independently(findings: Findings) -> list[int]:
    """The seven sub-scores in the order of the chart, and the total."""
    result = independent_score(
        int(findings.respiratory_rate or 0), findings.spo2 or 0, bool(findings.is_on_oxygen),
        int(findings.systolic_pressure or 0), int(findings.pulse or 0), (findings.consciousness or Consciousness.A).name,
        findings.temperature or 0, use_spo2_scale2=findings.scale is Spo2Scale.TWO,
    )  # fmt: skip
    return [
        result.rr_score, result.spo2_score, result.o2_score, result.sbp_score,
        result.hr_score, result.consciousness_score, result.temp_score, result.total,
    ]  # fmt: skip


@st.composite
def sets_with_gaps(draw: st.DrawFn) -> tuple[Findings, Findings]:
    """The same findings, whole and with some of them missing."""
    whole = Findings(
        respiratory_rate=draw(st.floats(1, 60)),
        spo2=draw(st.floats(60, 100)),
        is_on_oxygen=draw(st.booleans()),
        systolic_pressure=draw(st.floats(40, 260)),
        pulse=draw(st.floats(20, 220)),
        consciousness=draw(st.sampled_from(Consciousness)),
        temperature=draw(st.floats(30, 43)),
        scale=draw(st.sampled_from(Spo2Scale)),
    )
    gaps = draw(st.sets(st.sampled_from(sorted(PARTS.values()))))
    return whole, replace(whole, **dict.fromkeys(gaps))  # type: ignore[arg-type]


@given(sets_with_gaps())
def test_what_is_missing_only_ever_lowers_what_is_known(pair: tuple[Findings, Findings]) -> None:
    whole, with_gaps = score_news2(pair[0]), score_news2(pair[1])

    assert with_gaps.at_least <= whole.at_least
    assert with_gaps.parts.items() <= whole.parts.items()
    assert 0 <= whole.at_least <= 20
