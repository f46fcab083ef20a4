"""What a rehearsal came to: a table to look at, or a line of JSON for each alert, and how many there were."""

from collections import Counter
from collections.abc import Sequence

from rich.table import Table

from domain.alarms import Kind
from domain.alerts import Phase
from domain.protocol import Protocol
from worker.messages.alerts import alert_record
from worker.rehearsal.bedsides import Told

PAGES = frozenset({Phase.START, Phase.ESCALATE})
"""What somebody is called for; everything else is only worth reading."""

_COLOURS = {"high": "bold red", "medium": "yellow", "low": "cyan"}
_HOUR, _MINUTE = 3600, 60


def table_of(told: Sequence[Told], start_ms: int) -> Table:
    """One row for each alert, with the time since the recordings began."""
    table = Table("patient", "after", "", "priority", "what is said", box=None, pad_edge=False)
    for patient_id, alert in ((each.patient_id, each.alert) for each in told):
        word = alert.priority.word
        table.add_row(
            patient_id,
            _after(int(alert.determined_at.timestamp()) - start_ms // 1000),
            alert.phase.value,
            f"[{_COLOURS[word]}]{word.upper()}[/]",
            alert.title.partition(": ")[2] or alert.title,
        )
    return table


def json_lines(told: Sequence[Told]) -> bytes:
    """The alerts as they would be published, a line each."""
    return b"".join((alert_record(each.alert, site="evaluate").value or b"") + b"\n" for each in told)


def summary_of(told: Sequence[Told], protocol: Protocol, *, patients: int, refused: int) -> list[str]:
    """How many pages of each kind and priority, and by which protocol."""
    pages = [each.alert for each in told if each.alert.phase in PAGES]
    counts = Counter((alert.kind, alert.priority) for alert in pages)
    lines = [f"protocol {protocol.protocol_id} {protocol.version}, hash {protocol.digest}"]
    for kind in Kind:
        counted = ", ".join(
            f"{counts[kind, priority]} {priority.word}"
            for priority in sorted({each for _, each in counts}, reverse=True)
            if counts[kind, priority]
        )
        lines.append(f"{kind} pages: {counted or 'none'}")
    lines.append(f"patients: {patients}, alerts of every kind: {len(told)}, readings refused: {refused}")
    return lines


def _after(seconds: int) -> str:
    return f"{seconds // _HOUR}:{seconds // _MINUTE % 60:02}:{seconds % 60:02}"
