"""The comparison after lanes have been repaired: what was out before stays out, of whatever history it was.

Numbers have holes then, and what was said of the lost history stays said; so alerts are once by what they
are, not byte for byte, and what nothing stored led to must be what the audit has listed.
"""

from collections import Counter, defaultdict

from tests.faults.checking import (
    Findings,
    check_dead_letters,
    check_log,
    check_readings,
    descents,
    found_in,
    sequence_of,
)
from tests.faults.evidence import Evidence
from tests.faults.producing import Sent
from tests.faults.replaying import Replayed
from tests.faults.strange import judge


def check_after_repair(evidence: Evidence, sent: Sent, replayed: Replayed, gone: set[str]) -> Findings:
    """Compare everything with everything; *gone* are the alerts that belong to no stored history, as they were listed."""
    findings = Findings()
    check_log(evidence, sent, findings)
    strange = judge(evidence, sent)
    check_readings(evidence, sent, strange, findings)
    check_dead_letters(evidence, sent, strange, findings)
    _check_numbers(evidence, findings)
    _check_said(evidence, replayed, gone, findings)
    findings.misorder("records within a chart", replayed.out_of_order)
    for text, count in Counter(replayed.wrong).items():
        findings.mistrust(text, count)
    findings.alerts = len(evidence.out["alerts"])
    findings.phases, findings.ticks = dict(replayed.phases), replayed.ticks
    return findings


def _check_numbers(evidence: Evidence, findings: Findings) -> None:
    """No number is out twice, they rise in every topic, and beyond the last marker none is missing."""
    out: dict[int, list[int]] = defaultdict(list)
    for records in evidence.out.values():
        by_lane: dict[int, list[int]] = defaultdict(list)
        for record in records:
            by_lane[record.partition].append(sequence_of(record))
        for lane, numbers in by_lane.items():
            findings.misorder("numbers in a partition", descents(numbers))
            out[lane].extend(numbers)
    held = {(row.lane, row.seq) for row in evidence.outbox}
    for lane, last_seq in evidence.lanes.items():
        counted = Counter(out[lane])
        findings.double(f"numbers of lane {lane}", counted.total() - len(counted))
        missing = [
            number
            for number in range(_marker(evidence, lane) + 1, last_seq + 1)
            if (lane, number) not in held
        ]
        findings.lose(f"numbers of lane {lane} after its repair", len(missing))
    findings.mistrust(
        "cursors that are not at the last number", len(evidence.lanes.items() ^ evidence.cursors.items())
    )


def _marker(evidence: Evidence, lane: int) -> int:
    return max((row.seq for row in evidence.outbox if row.lane == lane and row.topic == "marker"), default=0)


def _check_said(evidence: Evidence, replayed: Replayed, gone: set[str], findings: Findings) -> None:
    """Whatever the stored history leads to is out once; what it does not lead to has been listed."""
    found = list(found_in(evidence))
    by_name = dict(reversed(found))
    wanted = {said.name: said for some in replayed.said.values() for said in some}
    counted = Counter(name for name, _ in found)
    findings.lose("alerts and alarm states", len(wanted.keys() - counted.keys()))
    findings.double("alerts and alarm states", counted.total() - len(counted))
    strange = {alert_id for role, alert_id in counted.keys() - wanted.keys() if role != "alarm_state"}
    findings.mistrust("alerts that nothing stored led to, and that were not listed", len(strange - gone))
    findings.mistrust("alerts that were listed although they follow from what is stored", len(gone - strange))
    for some in replayed.said.values():
        records = [by_name[said.name] for said in some if said.name in by_name]
        after = [
            sequence_of(each) for each in records if sequence_of(each) > _marker(evidence, each.partition)
        ]
        findings.misorder("alerts of a patient after the repair", descents(after))
