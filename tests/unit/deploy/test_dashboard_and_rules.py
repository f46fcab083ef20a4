"""What deploy/ ships for Prometheus and Grafana speaks of series that exist, and Prometheus accepts it."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry

from tests.e2e.dashboard_queries import filled_in, queries
from tests.unit.observability.touching import touch
from worker.observability.metrics import Metrics
from worker.observability.supervising import SupervisorMetrics

ROOT = Path(__file__).parents[3]
PROMETHEUS = ROOT / "deploy" / "prometheus"
GRAFANA = ROOT / "deploy" / "grafana"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
DASHBOARD = json.loads((GRAFANA / "dashboards" / "vigil.json").read_text())
RULES = [
    rule
    for group in yaml.safe_load((PROMETHEUS / "rules" / "vigil.yml").read_text())["groups"]
    for rule in group["rules"]
]
OTHERS = {"up"}  # Prometheus' own
OF_THE_SCRAPE = {"job", "instance", "process"}  # the last of a worker of several processes
SERIES = re.compile(r"\b(?:vigil|process|faststream)_\w+\b|\bup\b")
MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"")


def families():
    registry = CollectorRegistry()
    touch(Metrics(registry))
    SupervisorMetrics(registry).process_up.labels("1").set(1)
    return list(registry.collect())


def every_series():
    """Return the labels of every series that a busy worker serves."""
    labels = {}
    for sample in (sample for family in families() for sample in family.samples):
        labels.setdefault(sample.name, set()).update(sample.labels)
    return labels


def names_in(expression):
    return set(SERIES.findall(re.sub(r'"[^"]*"', '""', expression)))


EXISTING = every_series()
EXPRESSIONS = [
    pytest.param(query.expression, id=f"{query.panel} {number}")
    for number, query in enumerate(queries(DASHBOARD))
] + [pytest.param(rule["expr"], id=rule["alert"]) for rule in RULES]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_series_asked_for_exists_with_its_labels(expression):
    asked = names_in(expression)
    matched = set(MATCHER.findall(expression)) - OF_THE_SCRAPE
    grouped = (
        {
            label.strip()
            for labels in re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", expression)
            for label in labels.split(",")
        }
        - OF_THE_SCRAPE
        - {"le"}
    )

    assert asked <= set(EXISTING) | OTHERS
    assert matched | grouped <= {label for name in asked - OTHERS for label in EXISTING[name]}


def test_a_series_that_does_not_exist_is_found():
    assert set(SERIES.findall("rate(vigil_nothing_of_this_total[5m])")) - set(EXISTING) == {
        "vigil_nothing_of_this_total"
    }


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_says_how_grave_it_is_and_what_to_do(rule):
    path, _, anchor = rule["annotations"]["runbook"].partition("#")
    headings = re.findall(r"^## (\w+)$", (ROOT / path).read_text(), re.MULTILINE)

    assert rule["labels"]["severity"] in {"critical", "warning", "none"}
    assert rule["annotations"]["summary"]
    assert anchor == rule["alert"].lower()
    assert rule["alert"] in headings


def test_the_runbook_has_no_alert_that_does_not_exist():
    headings = re.findall(r"^## (\w+)$", (PROMETHEUS / "RUNBOOK.md").read_text(), re.MULTILINE)

    assert headings == [rule["alert"] for rule in RULES]


def test_every_gauge_that_pages_survives_a_failed_scrape():
    gauges = {family.name for family in families() if family.type == "gauge"}

    bare = [
        rule["alert"]
        for rule in RULES
        if names_in(rule["expr"]) & gauges and "max_over_time(" not in rule["expr"]
    ]

    assert bare == []


def test_every_alert_is_shown_to_fire_and_not_to_fire():
    told = (PROMETHEUS / "tests" / "vigil.yml").read_text()

    assert [rule["alert"] for rule in RULES if f'alertname="{rule["alert"]}"' not in told] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "config", "prometheus.yml"],
        ["check", "rules", "rules/vigil.yml"],
        ["test", "rules", "tests/vigil.yml"],
    ],
    ids=" ".join,
)
def test_prometheus_accepts_what_is_shipped(promtool, arguments):
    checked = subprocess.run(
        [promtool, *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_prometheus_scrapes_the_worker_of_the_compose_file():
    jobs = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"]
    [vigil] = [job for job in jobs if job["job_name"] == "vigil"]
    name, _, port = vigil["static_configs"][0]["targets"][0].partition(":")

    assert COMPOSE[name]["ports"] == [f"127.0.0.1:{port}:{port}"]


def test_every_panel_uses_the_datasource_that_is_provisioned():
    provisioned = yaml.safe_load((GRAFANA / "provisioning" / "datasources" / "prometheus.yml").read_text())[
        "datasources"
    ]
    used = {
        target["datasource"]["uid"] for panel in DASHBOARD["panels"] for target in [panel, *panel.get("targets", ())]
        if "datasource" in target
    } | {variable["datasource"]["uid"] for variable in DASHBOARD["templating"]["list"]}  # fmt: skip

    assert used == {source["uid"] for source in provisioned}
    assert provisioned[0]["url"] == "http://prometheus:9090"


def test_the_dashboard_lies_where_grafana_looks_for_it():
    [provider] = yaml.safe_load((GRAFANA / "provisioning" / "dashboards" / "vigil.yml").read_text())[
        "providers"
    ]
    mounts = dict(volume.split(":")[:2][::-1] for volume in COMPOSE["grafana"]["volumes"])

    assert mounts[provider["options"]["path"]] == "./deploy/grafana/dashboards"


def test_no_two_panels_overlap_or_share_an_id():
    taken = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for place in [panel["gridPos"]]
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]

    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_the_dashboards_variables_are_all_known():
    assert [query for query in queries(DASHBOARD) if "$" in filled_in(query.expression)] == []
