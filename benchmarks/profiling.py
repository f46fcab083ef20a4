"""Where the worker's time goes while it drains the backlog: cProfile's answer, in a file."""

import io
import pstats
from pathlib import Path

from benchmarks.throughput import Place, Plan, measure_vigil

_LINES = 80


def profile_drain(place: Place, plan: Plan, results: Path) -> None:
    """Drain the backlog under cProfile and write its tables to `profile.txt` in *results*.

    cProfile makes calls dearer than they are: shares are right, the rate is not.
    """
    raw = results / "profile.pstats"
    measure_vigil(place, plan, "profile.", processes="1", profile=raw)
    text = io.StringIO()
    for order in ("tottime", "cumulative"):
        pstats.Stats(str(raw), stream=text).strip_dirs().sort_stats(order).print_stats(_LINES)
    target = results / "profile.txt"
    target.write_text(text.getvalue())
    place.say(f"profile written to {target.name}")
