"""Every kind of fault once, under load: nothing lost, nothing doubled, nothing out of order, and it goes on by itself."""

import pytest

from tests.faults.matrix import run_plan
from tests.faults.plans import MATRIX, SHORT
from tests.faults.running import seed_of_the_day
from worker.fault_points import FaultPoint

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.mark.parametrize("plan", SHORT, ids=lambda plan: plan.fault.replace(" ", "-"))
def test_nothing_is_lost_doubled_or_out_of_order(plan, own_services):
    outcome = run_plan(plan, own_services, seed_of_the_day())

    row = outcome.row
    assert outcome.wrong[:5] == [], f"seed {seed_of_the_day()}: {outcome.complaints}"
    assert (row.lost, row.doubled, row.out_of_order) == (row.removed, 0, 0)
    assert row.alerts > 0
    assert all(result.seconds_to_stop < 10 for result in outcome.results)


def test_every_fault_point_has_a_plan_of_its_own():
    planned = {plan.fault for plan in MATRIX}

    assert {f"killed {point}" for point in FaultPoint} <= planned
