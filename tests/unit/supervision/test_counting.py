import pytest

from worker.supervision.counting import how_many, quota_in, usable_processors


@pytest.mark.parametrize(
    ("processors", "partitions", "expected"),
    [
        pytest.param(1, 6, 1, id="one processor"),
        pytest.param(0.5, 6, 1, id="half of one"),
        pytest.param(2, 6, 1, id="two processors"),
        pytest.param(2.5, 6, 1, id="two and a half"),
        pytest.param(4, 6, 3, id="four processors"),
        pytest.param(8, 6, 4, id="eight processors"),
        pytest.param(64, 12, 4, id="more than are of use"),
        pytest.param(64, 3, 3, id="fewer partitions"),
    ],
)
def test_a_worker_has_a_process_for_every_processor_but_one(processors, partitions, expected):
    assert how_many("auto", processors=processors, partitions=partitions) == expected


def test_what_was_asked_for_is_done():
    assert how_many("16", processors=1, partitions=1) == 16


@pytest.mark.parametrize(
    ("text", "expected"), [("max 100000\n", float("inf")), ("150000 100000\n", 1.5), ("400000 100000", 4)]
)
def test_a_container_may_be_given_less_than_the_machine_has(text, expected):
    assert quota_in(text) == expected


def test_the_smaller_of_both_counts(tmp_path):
    (tmp_path / "half").write_text("50000 100000\n")

    assert usable_processors(tmp_path / "half") == 0.5
    assert usable_processors(tmp_path / "none") >= 1
