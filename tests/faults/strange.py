"""What can be used of records that no load would send: as the decoders say, which raise at nothing and are tried elsewhere."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from deploy.local.contents import Content, milliseconds, written
from domain.commands import Command
from domain.observations import ObservationSet
from tests.faults.evidence import Evidence, Record
from tests.faults.producing import Sent
from worker.messages import decode_command_record, decode_reading_record

Position = tuple[str, int, int, int]

_COUNTED = {"dlq-attempts", "dlq-replay-count", "dlq-last-failed-at"}


@dataclass(slots=True)
class Strange:
    """What must be stored of them, what must be dead letters, and the headers these must bear first."""

    contents: list[Content] = field(default_factory=list)
    commands: set[str] = field(default_factory=set)
    refused: set[Position] = field(default_factory=set)
    headers: dict[tuple[str, int, int], list[tuple[str, bytes | None]]] = field(default_factory=dict)


def judge(evidence: Evidence, sent: Sent) -> Strange:
    """Judge every strange record of *sent* as it stands in the log."""
    strange = Strange()
    for record in evidence.readings_in:
        if _is_strange(record, sent):
            decoded = decode_reading_record(record)
            if decoded.observation is not None:
                strange.contents.extend(_contents(decoded.observation))
            strange.refused.update((*record.place, refusal.position) for refusal in decoded.refusals)
    for record in evidence.commands_in:
        if _is_strange(record, sent):
            said = decode_command_record(record)
            if isinstance(said, Command):
                strange.commands.add(str(said.command_id))
            else:
                strange.refused.add((*record.place, said.position))
    for record in (*evidence.readings_in, *evidence.commands_in):
        if _is_strange(record, sent):
            strange.headers[record.place] = [each for each in record.headers if each[0] not in _COUNTED]
    return strange


def _is_strange(record: Record, sent: Sent) -> bool:
    message = sent.messages.get(record.place)
    return message is not None and message.is_strange


def _contents(observation: ObservationSet) -> Iterator[Content]:
    for reading in observation.readings:
        yield Content(
            observation.patient_id,
            str(observation.mode),
            observation.device_id,
            str(reading.vital_sign),
            reading.site or "",
            milliseconds(observation.observed_at),
            written(reading.value),
        )
