"""What a lane has recorded to be published, against what is out: each record once, as it was recorded, in order."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID

from worker.audit.findings import Finding, Subject, Trouble
from worker.record_ids import number_of, record_id_of

SUBJECTS: Mapping[str, Subject] = {
    "alerts": Subject.ALERTS,
    "alerts_test": Subject.TEST_ALERTS,
    "alarm_state": Subject.ALARM_STATES,
    "dead_letters": Subject.PUBLISHED_DEAD_LETTERS,
}
COMPACTED = "alarm_state"
"""Of this topic the broker removes what is no longer the present state: absence of what was is no loss."""


_OMITTED = re.compile(r"dlq-(value|headers|key)-omitted")


@dataclass(frozen=True, slots=True)
class Said:
    """A record, recorded or out: its role, number and id, and a digest of what it holds."""

    role: str
    seq: int
    record_id: UUID
    digest: bytes
    at_ms: int = 0  # when it was published, if it was
    is_shortened: bool = False  # a dead letter that left something out, and says so: the table has it

    def is_as(self, recorded: "Said") -> bool:
        """Whether it holds what was *recorded*, as far as it is told to."""
        return self.is_shortened or self.digest == recorded.digest


class Content(NamedTuple):
    """What a record holds."""

    key: bytes | None
    value: bytes | None
    headers: Iterable[tuple[str, bytes | None]]


def said_of(role: str, content: Content, *, seq: int | None = None, at_ms: int = 0) -> Said:
    """What a record says; its number is read off its headers if it is not given."""
    key, value, headers = content.key, content.value, tuple(content.headers)
    digest = blake2b(key or b"", digest_size=16)
    digest.update(b"\0" if value is None else b"\1" + value)
    number = number_of(headers) if seq is None else seq
    is_shortened = role == "dead_letters" and any(_OMITTED.fullmatch(name) for name, _ in headers)
    record_id = record_id_of(role, key, value, headers)
    return Said(role, number, record_id, digest.digest(), at_ms, is_shortened)


@dataclass(slots=True)
class LaneComparison:
    """One lane: first `record` all that is recorded, then `publish` all that is out, then ask.

    What is recorded up to number *published* should be out; the rest may be, if a repair has numbered it anew.
    """

    lane: int
    published: int
    subject: Subject | None = None  # of everything, where it is not told by the role
    wanted: dict[UUID, Said] = field(default_factory=dict)
    states: dict[bytes | None, Said] = field(default_factory=dict)  # the present one by key
    out: dict[UUID, Said] = field(default_factory=dict)
    unknown: list[Said] = field(default_factory=list)
    different: list[Said] = field(default_factory=list)  # out otherwise than it is recorded
    _newest: dict[str, int] = field(default_factory=dict)
    _findings: list[Finding] = field(default_factory=list)

    @property
    def recorded(self) -> Iterator[Said]:
        """What should be out."""
        return (said for said in self.wanted.values() if said.seq <= self.published)

    def record(self, said: Said, key: bytes | None, *, is_deletion: bool) -> None:
        """Take note of what is recorded."""
        self.wanted[said.record_id] = said
        if said.role == COMPACTED and said.seq <= self.published:
            self.states.pop(key, None)
            if not is_deletion:
                self.states[key] = said

    def publish(self, said: Said) -> None:
        """Take note of what is out, in the order of its log."""
        newest = self._newest.get(said.role, 0)
        self._newest[said.role] = max(newest, said.seq)
        if said.record_id in self.out:
            self._find(Trouble.DOUBLED, said)
            return
        self.out[said.record_id] = said
        if said.seq <= newest and said.seq:
            self._find(Trouble.OUT_OF_ORDER, said)
        recorded = self.wanted.get(said.record_id)
        if recorded is None:
            self.unknown.append(said)
        elif not said.is_as(recorded):
            self.different.append(said)

    def newest(self) -> int:
        """The highest number that is out."""
        return max(self._newest.values(), default=0)

    def absent(self, *, with_states: bool) -> list[Said]:
        """What should be out and was not seen; of alarm states the present ones only, or none."""
        states = {said.record_id for said in self.states.values()} if with_states else set()
        return [
            said
            for said in self.recorded
            if said.record_id not in self.out and (said.role != COMPACTED or said.record_id in states)
        ]

    def judge_unknown(self, said: Said, recorded: Said | None, *, is_noted: bool) -> None:
        """Say what *said*, which was not recorded in the range, is: *recorded* is what its number stands for."""
        if recorded is not None and recorded.record_id == said.record_id:
            if not said.is_as(recorded):
                self._find(Trouble.ALTERED, said)
        elif said.role != COMPACTED or not is_noted:  # an alarm's state follows its alert
            self._find(Trouble.GONE if is_noted else Trouble.UNEXPLAINED, said)

    def lose(self, lost: Iterable[Said]) -> None:
        """Take note of what is lost."""
        for said in lost:
            self._find(Trouble.LOST, said)

    def alter(self, altered: Iterable[Said]) -> None:
        """Take note of what is altered."""
        for said in altered:
            self._find(Trouble.ALTERED, said)

    def findings(self) -> Iterator[Finding]:
        """What is wrong."""
        yield from self._findings

    def _find(self, trouble: Trouble, said: Said) -> None:
        subject = self.subject or SUBJECTS[said.role]
        self._findings.append(
            Finding(trouble, subject, f"lane {self.lane}, number {said.seq}, id {said.record_id}")
        )
