"""The checker: is everything that was sent, stored, said and published the same, once, and in order?"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from deploy.local.contents import Content, milliseconds, readings_in, written
from tests.faults.evidence import Evidence, Record
from tests.faults.producing import Sent
from tests.faults.replaying import Replayed, Said
from tests.faults.strange import Strange, judge
from tests.faults.wholes import ids_of_wholes, told_of_wholes

_INPUT_LOST = b'"input-lost"'  # the rule


@dataclass(slots=True)
class Findings:
    """What a run came to; *wrong* says in words what the numbers count, and what no number counts."""

    readings: int = 0
    alerts: int = 0
    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    wrong: list[str] = field(default_factory=list)
    phases: dict[str, int] = field(default_factory=dict)
    duplicates: int = 0
    dead_letters: int = 0
    ticks: int = 0
    wholes: Counter[str] = field(default_factory=Counter)  # by reason: alerts about a ward or a device

    def lose(self, what: str, count: int) -> None:
        self.lost += count
        self._say(f"{what}: {count} lost", count)

    def double(self, what: str, count: int) -> None:
        self.doubled += count
        self._say(f"{what}: {count} doubled", count)

    def misorder(self, what: str, count: int) -> None:
        self.out_of_order += count
        self._say(f"{what}: {count} out of order", count)

    def mistrust(self, what: str, count: int = 1) -> None:
        self._say(f"{what}: {count}", count)

    def compare(self, what: str, wanted: Iterable[object], found: Iterable[object]) -> None:
        """Every one of *wanted* must be there once, and nothing else."""
        expected, counted = set(wanted), Counter(iter(found))
        self.lose(what, len(expected - counted.keys()))
        self.double(what, sum(count - 1 for count in counted.values()))
        self.mistrust(f"{what} that nothing led to", len(counted.keys() - expected))

    def _say(self, text: str, count: int) -> None:
        if count:
            self.wrong.append(text)


def check(evidence: Evidence, sent: Sent, replayed: Replayed) -> Findings:
    """Compare everything with everything; what was sent, and what the domain makes of it, are believed."""
    findings = Findings()
    check_log(evidence, sent, findings)
    strange = judge(evidence, sent)
    check_readings(evidence, sent, strange, findings)
    check_dead_letters(evidence, sent, strange, findings)
    _check_lanes(evidence, findings)
    _check_said(evidence, replayed, findings)
    _check_wholes(evidence, findings)
    findings.misorder("records within a chart", replayed.out_of_order)
    for text, count in Counter(replayed.wrong).items():
        findings.mistrust(text, count)
    findings.alerts = len(evidence.out["alerts"])
    findings.lost += sent.removed
    findings.phases, findings.ticks = dict(replayed.phases), replayed.ticks
    return findings


def check_log(evidence: Evidence, sent: Sent, findings: Findings) -> None:
    """What was accepted must be what stands in the log."""
    log = {record.place: record.value for record in (*evidence.readings_in, *evidence.commands_in)}
    accepted = {place: message.value for place, message in sent.messages.items()}
    findings.mistrust(
        "records of the input topics that are not as sent", len(set(log.items()) ^ set(accepted.items()))
    )


def check_readings(evidence: Evidence, sent: Sent, strange: Strange, findings: Findings) -> None:
    """Every reading that can be used is stored once, with its value, however often it was sent."""
    wanted: Counter[Content] = Counter(strange.contents)
    findings.readings = wanted.total()
    for record in evidence.readings_in:
        message = sent.messages.get(record.place)
        if message is not None and 0 not in message.bad and not message.is_strange:
            for position, content in enumerate(readings_in(record.value or b""), start=1):
                findings.readings += 1
                if position not in message.bad:
                    wanted[content] += 1
    stored = [
        Content(
            row.patient_id,
            row.mode,
            row.device_id,
            row.vital_sign,
            row.site or "",
            milliseconds(row.observed_at),
            written(row.value),
        )
        for row in evidence.readings
    ]
    findings.duplicates = wanted.total() - len(wanted)
    findings.compare("readings", wanted, stored)
    said = {
        _command_id(record)
        for record in evidence.commands_in
        if (message := sent.messages.get(record.place)) is not None and not message.is_strange
    }
    findings.compare("commands", said | strange.commands, [str(row.command_id) for row in evidence.commands])


def _command_id(record: Record) -> str:
    return str(json.loads(record.value or b"{}")["command_id"])


def check_dead_letters(evidence: Evidence, sent: Sent, strange: Strange, findings: Findings) -> None:
    """Whatever cannot be used is kept once, byte for byte, in the table and in the topic."""
    wanted = {(*place, position) for place, message in sent.messages.items() for position in message.bad}
    wanted |= strange.refused
    rows = {(row.topic, row.partition, row.offset, row.position): row for row in evidence.dead_letters}
    letters = evidence.out["dead_letters"]
    findings.dead_letters = len(rows)
    for reason, count in Counter(row.reason for place, row in rows.items() if place not in wanted).items():
        findings.mistrust(f"dead letters with the reason {reason} that nothing led to", count)
    findings.compare("dead letters in the table", wanted, rows)
    findings.compare("dead letters in the topic", wanted, [_origin(record) for record in letters])
    originals = {record.place: record for record in (*evidence.readings_in, *evidence.commands_in)}
    changed = [
        (key, value)
        for place, key, value in (
            *((place, row.key, row.value) for place, row in rows.items()),
            *((_origin(record), record.key, record.value) for record in letters if not _is_stub(record)),
        )
        if (original := originals.get(place[:3])) is None
        or (key or b"", value) != (original.key or b"", original.value)
    ]
    findings.mistrust("dead letters that are not as their record was", len(changed))
    bared = [
        place
        for place, letter in ((_origin(letter), letter) for letter in letters)
        if (kept := strange.headers.get(place[:3])) is not None and list(letter.headers[: len(kept)]) != kept
    ]
    findings.mistrust("dead letters without the headers that their record had", len(bared))


def _is_stub(letter: Record) -> bool:
    """Whether it says that it left its value out; the table has it."""
    return letter.value is None and bool(letter.header("dlq-value-omitted"))


def _origin(record: Record) -> tuple[str, int, int, int]:
    """Where it was given up on: by our problem, which is the last; a producer may claim another origin."""
    problem = json.loads(record.header("dlq-problem") or "{}")
    _, topic, partition, offset = problem["instance"].split("/")
    return topic, int(partition), int(offset), int(problem["position"])


def sequence_of(record: Record) -> int:
    return int(record.header("ce_sequence") or -1)


def _check_lanes(evidence: Evidence, findings: Findings) -> None:
    """In each lane every number is out once, rising in every topic, bearing what the outbox holds under it."""
    out: dict[int, list[tuple[int, Record, str]]] = defaultdict(list)
    misplaced = 0
    for role, records in evidence.out.items():
        newest: dict[int, int] = {}
        for record in records:
            seq = sequence_of(record)
            misplaced += seq <= newest.get(record.partition, 0)
            newest[record.partition] = max(seq, newest.get(record.partition, 0))
            out[record.partition].append((seq, record, role))
    findings.misorder("numbers in a partition", misplaced)
    for lane, last_seq in evidence.lanes.items():
        numbers = [seq for seq, _, _ in out[lane]]
        given = set(range(1, last_seq + 1)) - _passed_over(evidence, lane, numbers)
        findings.compare(f"numbers of lane {lane}", given, numbers)
    findings.mistrust(
        "cursors that are not at the last number", len(evidence.lanes.items() ^ evidence.cursors.items())
    )
    _check_outbox(evidence, out, findings)


def _passed_over(evidence: Evidence, lane: int, out: Sequence[int]) -> set[int]:
    """The numbers before each marker of a repair that were never out: what had them is out behind it."""
    markers = [row.seq for row in evidence.outbox if row.lane == lane and row.topic == "marker"]
    before = {marker: max((seq for seq in out if seq < marker), default=0) for marker in markers}
    return {number for marker in markers for number in range(before[marker] + 1, marker + 1)}


def _check_outbox(
    evidence: Evidence, out: dict[int, list[tuple[int, Record, str]]], findings: Findings
) -> None:
    held = {(row.lane, row.seq): (row.topic, row.key or b"", row.value) for row in evidence.outbox}
    published = {
        (lane, seq): (role, record.key or b"", record.value)
        for lane, records in out.items()
        for seq, record, role in records
        if not _is_stub(record)
    }
    different = [number for number in held.keys() & published.keys() if held[number] != published[number]]
    findings.mistrust("numbers under which the outbox holds something else", len(different))


def _check_said(evidence: Evidence, replayed: Replayed, findings: Findings) -> None:
    """Each patient's alerts and alarm states are those of the replay: each once, in order, byte for byte."""
    wholes = ids_of_wholes(evidence)
    found = [(name, record) for name, record in found_in(evidence) if name[1] not in wholes]
    wanted = {said.name: said for some in replayed.said.values() for said in some}
    findings.mistrust(
        "alerts that bear another's id", sum(len(some) for some in replayed.said.values()) - len(wanted)
    )
    findings.compare("alerts and alarm states", wanted, [name for name, _ in found])
    by_name = dict(reversed(found))
    changed = [name for name, said in wanted.items() if name in by_name and not _is_as(said, by_name[name])]
    findings.mistrust("alerts that are not byte for byte as the replay gives them", len(changed))
    for chart, some in replayed.said.items():
        records = [by_name[said.name] for said in some if said.name in by_name]
        strays = sum(record.partition != replayed.lanes[chart] for record in records)
        findings.mistrust("alerts outside their patient's lane", strays)
        findings.misorder("alerts of a patient", descents([sequence_of(record) for record in records]))


def _check_wholes(evidence: Evidence, findings: Findings) -> None:
    """What is said of a ward or a device as a whole: each alert once, each episode from its start to its end."""
    findings.wholes, doubled, disordered = told_of_wholes(evidence)
    findings.double("alerts about wards and devices", doubled)
    findings.misorder("episodes of wards and devices", disordered)


def found_in(evidence: Evidence) -> Iterator[tuple[tuple[str, str], Record]]:
    for role, header in (("alerts", "ce_id"), ("alerts_test", "ce_id"), ("alarm_state", "alert_id")):
        for record in evidence.out[role]:
            if _INPUT_LOST in (record.value or b""):
                continue  # said of a ward, and no chart's sequence leads to it
            yield (role, record.header(header) or ""), record


def _is_as(said: Said, record: Record) -> bool:
    headers = [header for header in record.headers if header[0] != "ce_sequence"]
    return (said.key, said.value, list(said.headers)) == (record.key, record.value, headers)


def descents(numbers: Sequence[int]) -> int:
    return sum(later <= earlier for earlier, later in pairwise(numbers))
