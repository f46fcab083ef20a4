"""An output topic that takes nothing for a while: intake goes on, and all that was to be said is said afterwards."""

import time
from functools import partial

from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from tests.faults.acting import IN_KAFKA, start_to_be_struck, strike, works_again
from tests.faults.evidence import ROLES
from tests.faults.kinds import Kind
from tests.faults.plan import Plan
from tests.faults.running import Run

_REFUSED_S = 14.0  # longer than a transaction is waited for


def configure(run: Run, role: str, **settings: str | None) -> None:
    """Set *settings* (with underscores for dots) of the topic that plays *role*; None takes one back."""
    entries = [
        ConfigEntry(
            name.replace("_", "."),
            value or "",
            incremental_operation=AlterConfigOpType.SET if value else AlterConfigOpType.DELETE,
        )
        for name, value in settings.items()
    ]
    resource = ConfigResource(
        ResourceType.TOPIC, run.installation.topic(ROLES[role]), incremental_configs=entries
    )
    admin = AdminClient({"bootstrap.servers": run.installation.bootstrap_servers})
    admin.incremental_alter_configs([resource])[resource].result(10)


def refused(run: Run, strikes: int, *, role: str) -> None:
    """Ask for more replicas than there are, in the middle of a transaction; then for as many as there are again."""
    start_to_be_struck(run, IN_KAFKA)
    for _ in range(strikes):
        time.sleep(run.random.uniform(1, 2))
        strike(run, partial(configure, run, role, min_insync_replicas="2"))
        time.sleep(_REFUSED_S)
        works_again(run.worker, 5)  # intake does not wait for it
        configure(run, role, min_insync_replicas="1")
    works_again(run.worker)


def _plan(role: str, strikes: int, seconds: float) -> Plan:
    return Plan(
        fault=f"{role.replace('_', ' ')} topic refuses writes",
        kind=Kind.OUTPUT,
        act=partial(refused, role=role),
        strikes=strikes,
        seconds=seconds,
    )


MATRIX = [_plan("alerts", 3, 70), _plan("dead_letters", 2, 50)]
SHORT = [_plan("alerts", 1, 30)]
