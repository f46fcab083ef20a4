"""The queries of a Grafana dashboard, asked of a real Prometheus: which of them show nothing?"""

import json
import math
import re
from typing import NamedTuple
from urllib.parse import urlencode
from urllib.request import urlopen

VARIABLES = {"instance": ".*", "__rate_interval": "30s", "__interval": "5s", "__range": "5m"}
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::\w+)?\}|(\w+))")


class Query(NamedTuple):
    panel: str
    expression: str


def queries(dashboard):
    """Return every query of *dashboard*, rows and all, as it stands there."""
    panels = [
        *dashboard["panels"],
        *(inner for panel in dashboard["panels"] for inner in panel.get("panels", ())),
    ]
    return [Query(panel["title"], target["expr"]) for panel in panels for target in panel.get("targets", ())]


def filled_in(expression, variables=VARIABLES):
    """Return *expression* with its variables replaced; one that is not known is a KeyError."""
    return _VARIABLE.sub(lambda found: variables[found[1] or found[2]], expression)


def without_data(prometheus_url, dashboard, variables=VARIABLES):
    """Return the queries that gave no number; a percentile of nothing is not a number."""
    return [
        query
        for query in queries(dashboard)
        if not _numbers(prometheus_url, filled_in(query.expression, variables))
    ]


def _numbers(prometheus_url, expression):
    with urlopen(f"{prometheus_url}/api/v1/query?{urlencode({'query': expression})}", timeout=10) as response:  # noqa: S310
        result = json.load(response)["data"]["result"]
    return [float(series["value"][1]) for series in result if not math.isnan(float(series["value"][1]))]
