"""Each planted defect has rows of the matrix that are to notice it; `python -m tests.faults --defect NAME` shows that they do."""

from tests.faults.defects import CAUGHT_BY, DEFECTS
from tests.faults.plans import MATRIX


def test_every_row_that_is_to_notice_a_defect_is_in_the_matrix():
    planned = {plan.fault for plan in MATRIX}

    assert set(CAUGHT_BY) == set(DEFECTS)
    assert {fault for faults in CAUGHT_BY.values() for fault in faults} <= planned
