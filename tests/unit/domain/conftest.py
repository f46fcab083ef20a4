"""How long Hypothesis may look for a counter-example: enough to find one, short enough to run each time."""

import os

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "domain", max_examples=int(os.environ.get("VIGIL_EXAMPLES", "60")), deadline=None, database=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate] if os.environ.get("NOSHRINK") else list(Phase),
)  # fmt: skip
settings.load_profile("domain")
