"""What is said of a ward or a device as a whole, to which no chart's sequence leads: each alert once, in order."""

import json
from collections import Counter, defaultdict
from typing import Any

from tests.faults.evidence import Evidence, Record

_ROLES = ("alerts", "alerts_test")


def ids_of_wholes(evidence: Evidence) -> set[str]:
    """The alerts that are about no patient."""
    return {
        record.header("ce_id") or "" for record, alert in _alerts(evidence) if alert.get("patient_id") is None
    }


def told_of_wholes(evidence: Evidence) -> tuple[Counter[str], int, int]:
    """How many alerts there are by reason, how many of them twice, and how many episodes do not go from start to end."""
    ids: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    phases: dict[str, list[str]] = defaultdict(list)
    for record, alert in sorted(_alerts(evidence), key=_order):
        if alert.get("patient_id") is None:
            ids[record.header("ce_id") or ""] += 1
            reasons[alert["reason"]] += 1
            phases[alert["episode_id"]].append(alert["phase"])
    disordered = sum(some[0] != "start" or "end" in some[:-1] for some in phases.values())
    return reasons, sum(count - 1 for count in ids.values()), disordered


def _alerts(evidence: Evidence) -> list[tuple[Record, dict[str, Any]]]:
    return [(record, json.loads(record.value or b"{}")) for role in _ROLES for record in evidence.out[role]]


def _order(told: tuple[Record, dict[str, Any]]) -> tuple[int, int]:
    return told[0].partition, int(told[0].header("ce_sequence") or -1)
