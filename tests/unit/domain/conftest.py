"""How long Hypothesis may look for a counter-example: enough to find one, short enough to run each time."""

import os

from hypothesis import HealthCheck, Phase, settings

# A mutation run only asks whether there is a counter-example: the smallest one is of no interest.
PHASES = [Phase.explicit, Phase.generate] if os.environ.get("VIGIL_SHRINK") == "0" else list(Phase)

settings.register_profile(
    "domain",
    max_examples=int(os.environ.get("VIGIL_EXAMPLES", "60")),
    deadline=None,
    database=None,
    phases=PHASES,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("domain")
