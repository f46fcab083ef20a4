"""A chart through a whole batch: the same, input by input, as making it anew for each."""

from hypothesis import given
from hypothesis import strategies as st

from domain.evaluation import Course, evaluate
from domain.freshness import is_certainly_new
from domain.observations import Tick
from domain.protocol import QuietBand
from domain.tracks import with_entry, with_quiet_entry
from domain.vital_signs import VitalSign
from tests.builders import Bedside, a_set, at, shipped
from tests.strategies import histories as moments


def histories():
    """Inputs of a chart, ticks among them."""
    return moments().map(
        lambda history: [Tick(at=at(item)) if isinstance(item, (int, float)) else item for item in history]
    )


@given(histories())
def test_a_course_says_what_one_evaluation_after_the_other_says(history):
    chart = Bedside().chart
    course = Course(chart, shipped())

    for item in history:
        evaluation = evaluate(chart, item, shipped())
        said = course.take(item)
        chart = evaluation.chart

        assert tuple(said) == tuple(evaluation)[1:]
        assert course.chart == chart
        assert (course.chart_seq, course.due_ms) == (chart.chart_seq, chart.due_ms)


@given(histories())
def test_a_course_leaves_the_chart_it_began_with_as_it_was(history):
    chart = Bedside().take_all(history[: len(history) // 2]).chart
    kept = repr(chart)

    course = Course(chart, shipped())
    for item in history[len(history) // 2 :]:
        course.take(item)

    assert repr(chart) == kept


@given(histories(), st.integers(0, 20))
def test_a_chart_taken_from_a_course_does_not_change_with_it(history, moment):
    course = Course(Bedside().chart, shipped())
    taken = None
    for place, item in enumerate(history):
        course.take(item)
        if place == moment:
            taken = course.chart
            kept = repr(taken)

    assert taken is None or repr(taken) == kept


@given(histories())
def test_a_course_knows_what_is_new_as_well_as_its_chart_does(history):
    course = Course(Bedside().chart, shipped())
    for item in history:
        course.take(item)
    later, earlier = a_set(10_000, heart_rate=80), a_set(0, heart_rate=80)

    assert is_certainly_new(course, later) == is_certainly_new(course.chart, later)
    assert is_certainly_new(course, earlier) == is_certainly_new(course.chart, earlier)


@given(
    st.lists(
        st.tuples(st.integers(1, 40), st.sampled_from([96.0, 97.0, 98.0, None])), min_size=1, max_size=20
    )
)
def test_a_quiet_value_is_taken_to_the_same_effect_as_any_other(steps):
    sign = VitalSign.SPO2
    limits = [limit for limit in shipped().limits_of[sign] if limit.limit_id == "spo2-low"]
    bedside = Bedside()
    second = 0
    for gap, value in steps:
        second += gap
        bedside.take(a_set(second, spo2=value))
    track = bedside.chart.tracks[sign]
    entry = bedside.take(a_set(second + 5, spo2=97)).chart.tracks[sign].window[-1]

    quietly = with_quiet_entry(track, entry, QuietBand(92, float("inf")), 60_000)

    assert quietly == with_entry(track, entry, limits, 60_000)
