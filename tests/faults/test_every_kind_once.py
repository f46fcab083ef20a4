"""Every kind of fault once, under load: nothing lost, nothing doubled, nothing out of order, and it goes on by itself."""

import pytest

from tests.conftest import present
from tests.faults.plans import MATRIX, SHORT
from tests.faults.running import seed_of_the_day
from tests.faults.side_by_side import run_all
from worker.fault_points import FaultPoint

SIDES = 3

pytestmark = [pytest.mark.services, pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def told(request):
    """What each plan that is asked for came to; they run side by side."""
    asked = [
        item.callspec.params["plan"]
        for item in request.session.items
        if item.path == request.path and hasattr(item, "callspec")
    ]
    with present():
        return {one.row.fault: one for one in run_all(asked, seed_of_the_day(), sides=SIDES)}


@pytest.mark.parametrize("plan", SHORT, ids=lambda plan: plan.fault.replace(" ", "-"))
def test_nothing_is_lost_doubled_or_out_of_order(plan, told):
    one = told[plan.fault]

    assert one.wrong[:5] == [], f"seed {one.row.seed}: {one.complaints}"
    assert (one.row.lost, one.row.doubled, one.row.out_of_order) == (one.row.removed, 0, 0)
    assert one.row.alerts > 0


def test_every_fault_point_has_a_plan_of_its_own():
    planned = {plan.fault for plan in MATRIX}

    assert {f"killed {point}" for point in FaultPoint} <= planned
