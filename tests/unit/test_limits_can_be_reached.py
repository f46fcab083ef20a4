"""No value that calls for someone is refused as impossible before it can."""

import pytest

from domain.protocol import AlarmLimit, Measure, Side
from domain.vital_signs import DEFINITIONS, is_possible
from tests.builders import shipped

LIMITS = [
    pytest.param(limit, id=f"{name}: {limit.limit_id}")
    for name in ("ward-adult", "registry")
    for limit in shipped(name).limits
    if limit.measure is Measure.VALUE
]


@pytest.mark.parametrize("limit", LIMITS)
def test_beyond_the_most_severe_limit_there_are_possible_values(limit: AlarmLimit):
    tier = limit.tiers[-1]
    step = float(DEFINITIONS[limit.vital_sign].resolution)

    beyond = tier.threshold + (step if limit.side is Side.HIGH else -step) * (not tier.is_inclusive)

    assert is_possible(limit.vital_sign, beyond)
    assert limit.is_violated_by(beyond, tier)
