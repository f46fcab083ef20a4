"""The compose file: valid by the specification's own schema, pinned, and set like the local services."""

import json
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from deploy.local.configuration import (
    KAFKA_HEAP,
    KAFKA_IMAGE,
    POSTGRES_IMAGE,
    POSTGRES_SETTINGS,
    kafka_settings,
)

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((Path(__file__).parent / "compose" / "compose-spec.json").read_text())
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
OURS = ["migrate", "topics", "worker", "simulate"]


def problems(document):
    return [error.json_path for error in Draft202012Validator(SCHEMA).iter_errors(document)]


def test_the_compose_file_is_valid_by_the_specification():
    assert problems(COMPOSE) == []


def test_the_schema_refuses_what_compose_does_not_know():
    misspelt = COMPOSE | {"services": {"worker": {"image": "vigil:0.1.0", "helthcheck": {}}}}

    assert problems(misspelt) == ["$.services.worker"]


@pytest.mark.parametrize("service", SERVICES)
def test_every_image_has_a_pinned_tag(service):
    tag = SERVICES[service]["image"].rpartition(":")[2]

    assert re.match(r"v?\d+\.\d+", tag), f"{service}: {tag}"


@pytest.mark.parametrize(
    "service", [name for name in SERVICES if name not in {"migrate", "topics", "simulate"}]
)
def test_everything_that_keeps_running_has_a_health_check(service):
    assert SERVICES[service]["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize("service", OURS)
def test_vigil_runs_read_only_and_without_privileges(service):
    assert SERVICES[service]["read_only"] is True
    assert SERVICES[service]["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("service", SERVICES)
def test_ports_are_published_on_the_loopback_only(service):
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[service].get("ports", []))


def test_the_worker_starts_after_the_migration_and_the_topics_are_done():
    conditions = {name: wait["condition"] for name, wait in SERVICES["worker"]["depends_on"].items()}

    assert conditions == {
        "kafka": "service_healthy",
        "postgres": "service_healthy",
        "migrate": "service_completed_successfully",
        "topics": "service_completed_successfully",
    }


def test_the_simulator_starts_only_when_asked_for():
    assert SERVICES["simulate"]["profiles"] == ["simulate"]


@pytest.mark.parametrize("service", SERVICES)
def test_every_volume_is_named_or_a_file_of_ours(service):
    sources = [volume.split(":")[0] for volume in SERVICES[service].get("volumes", [])]

    assert all(source in COMPOSE["volumes"] or (ROOT / source).exists() for source in sources), sources


def test_kafka_is_set_like_the_local_one():
    environment = SERVICES["kafka"]["environment"]
    ours = {
        f"KAFKA_{name.replace('.', '_').upper()}": value for name, value in kafka_settings(brokers=1).items()
    }

    assert {name: environment.get(name) for name in ours} == ours
    assert environment["KAFKA_HEAP_OPTS"] == KAFKA_HEAP
    assert SERVICES["kafka"]["image"] == KAFKA_IMAGE


def test_postgres_is_set_like_the_local_one():
    program, *arguments = SERVICES["postgres"]["command"]

    assert program == "postgres"
    assert set(arguments[::2]) == {"-c"}
    assert dict(argument.split("=") for argument in arguments[1::2]) == dict(POSTGRES_SETTINGS)
    assert SERVICES["postgres"]["image"].startswith(POSTGRES_IMAGE)


def test_the_image_starts_from_a_pinned_base_and_does_not_run_as_root():
    dockerfile = (ROOT / "Dockerfile").read_text()

    assert re.search(r"^ARG PYTHON=3\.1[123]\.\d+-slim-", dockerfile, re.MULTILINE)
    assert re.search(r"^USER 10001", dockerfile, re.MULTILINE)
    assert "latest" not in dockerfile


@pytest.mark.parametrize(
    "workflow", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda path: path.name
)
def test_workflow_actions_are_pinned_by_tag(workflow):
    jobs = yaml.safe_load(workflow.read_text())["jobs"]
    used = [step["uses"] for job in jobs.values() for step in job["steps"] if "uses" in step]

    assert used
    assert all(re.search(r"@v\d+\.\d+\.\d+$", action) for action in used), used
