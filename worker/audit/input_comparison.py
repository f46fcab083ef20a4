"""What records of the input should have led to, and whether it is what is stored."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.commands import Command
from domain.observations import Reading
from persistence.audit import FoundLetter, FoundReading, WantedReading
from worker.audit.findings import Finding, Subject, Trouble
from worker.messages import Record, Refusal, decode_command_record, decode_reading_record

RecordPlace = tuple[str, int, int]  # topic, partition, offset


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What one record should have led to."""

    record: Record
    wanted: tuple[WantedReading, ...] = ()
    readings: tuple[Reading, ...] = ()
    received_at: datetime | None = None
    correlation_id: UUID | None = None
    command_id: UUID | None = None
    refusals: tuple[Refusal, ...] = ()

    @property
    def place(self) -> RecordPlace:
        """Where the record stands."""
        return self.record.topic, self.record.partition, self.record.offset


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What the database holds of some records: readings by their order among those wanted."""

    readings: Mapping[int, FoundReading]
    commands: set[UUID]
    letters: Mapping[RecordPlace, Sequence[FoundLetter]]


def expected_of(record: Record, *, is_command: bool) -> Expected:
    """What *record* should have led to."""
    if is_command:
        command = decode_command_record(record)
        return (
            Expected(record=record, command_id=command.command_id)
            if isinstance(command, Command)
            else Expected(record=record, refusals=(command,))
        )
    decoded = decode_reading_record(record)
    observed = decoded.observation
    if observed is None:
        return Expected(record=record, refusals=decoded.refusals)
    return Expected(
        record=record,
        refusals=decoded.refusals,
        readings=observed.readings,
        received_at=observed.received_at,
        correlation_id=observed.correlation_id,
        wanted=tuple(
            WantedReading(observed.patient_id, observed.mode, observed.observed_at, each.reading_id)
            for each in observed.readings
        ),
    )


def compare_input(expected: Sequence[Expected], stored: Stored) -> Iterator[Finding]:
    """Yield what is wrong about what is *stored* of the records *expected* speaks of."""
    number = 0
    for each in expected:
        letters = stored.letters.get(each.place, ())
        is_given_up = any(letter.position == 0 for letter in letters)
        where = f"{each.record.topic}, partition {each.record.partition}, offset {each.record.offset}"
        yield from _compare_letters(each, letters, where)
        for position, reading in enumerate(each.readings, start=number):
            found = stored.readings.get(position)
            if found is None and not is_given_up:
                yield Finding(Trouble.LOST, Subject.READINGS, where)
            elif found is not None and not _is_as(reading, found):
                yield Finding(Trouble.ALTERED, Subject.READINGS, where)
        number += len(each.readings)
        if each.command_id is not None and each.command_id not in stored.commands and not is_given_up:
            yield Finding(Trouble.LOST, Subject.COMMANDS, where)


def count_led(expected: Sequence[Expected], stored: Stored, observed: tuple[datetime, datetime]) -> int:
    """How many real readings of *expected* are stored because of these very records, not because of earlier ones."""
    led = number = 0
    for each in expected:
        for wanted in each.wanted:
            found = stored.readings.get(number)
            number += 1
            led += (
                found is not None
                and wanted.mode == "real"
                and (found.received_at, found.correlation_id) == (each.received_at, each.correlation_id)
                and observed[0] <= wanted.observed_at <= observed[1]
            )
    return led


def _compare_letters(each: Expected, letters: Sequence[FoundLetter], where: str) -> Iterator[Finding]:
    """A refusal must be kept, and every letter must hold what the record held."""
    kept = {letter.position for letter in letters}
    for refusal in each.refusals:
        if refusal.position not in kept and 0 not in kept:
            yield Finding(Trouble.LOST, Subject.DEAD_LETTERS, f"{where}, position {refusal.position}")
    for letter in letters:
        if (letter.key, letter.value) != (each.record.key, each.record.value):
            yield Finding(Trouble.ALTERED, Subject.DEAD_LETTERS, f"{where}, position {letter.position}")


def _is_as(reading: Reading, found: FoundReading) -> bool:
    return (found.vital_sign, found.value, found.validity) == (
        reading.vital_sign,
        reading.value,
        reading.validity,
    )
