"""What unit tests may ask for: the programs that are not ours."""

import os
import shutil

import pytest


@pytest.fixture(scope="session")
def promtool():
    """Lend Prometheus' own checker; where services are required, its absence is a failure."""
    found = shutil.which("promtool")
    if found is None:
        give_up = pytest.fail if os.environ.get("VIGIL_REQUIRE_SERVICES") == "1" else pytest.skip
        give_up("no promtool in PATH (Debian: apt-get install prometheus)")
    return found
