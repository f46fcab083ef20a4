"""The matrix can fail: each planted defect is noticed by a row that names it."""

from dataclasses import replace

import pytest

from tests.faults.defects import CAUGHT_BY, DEFECTS
from tests.faults.matrix import run_plan
from tests.faults.plans import MATRIX
from tests.faults.running import seed_of_the_day

STRIKES = 2

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_planted_defect_makes_its_row_fail(defect, own_services, monkeypatch):
    monkeypatch.setenv("VIGIL_FAULTS_DEFECT", defect)
    (plan,) = [plan for plan in MATRIX if plan.fault == CAUGHT_BY[defect][0]]

    outcome = run_plan(replace(plan, strikes=STRIKES, runs=1), own_services, seed_of_the_day())

    assert outcome.row.lost + outcome.row.doubled + outcome.row.out_of_order > 0


def test_every_row_that_is_to_notice_a_defect_is_in_the_matrix():
    planned = {plan.fault for plan in MATRIX}

    assert {fault for faults in CAUGHT_BY.values() for fault in faults} <= planned
