"""Turn recordings into records: the same files give the same records, message for message."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from pathlib import PurePath

from domain.observations import Mode
from worker.feed.records import FeedRecord, admission, identifier, observation
from worker.replay.errors import ReplayError
from worker.replay.recordings import Recording

START = "2026-01-01T00:00:00Z"
"""When a recording begins unless told otherwise: fixed, so that replaying again says the same again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Playback:
    """How recordings are replayed; where *ward* is given each patient is admitted to a bed of it."""

    start_ms: int
    mode: Mode = Mode.DEMO
    ward: str | None = None
    bed_prefix: str = "R"

    def __post_init__(self) -> None:
        """Refuse to replay as real. Raises ReplayError."""
        if self.mode is Mode.REAL:
            raise ReplayError("a recording is never real: mode must be demo or test")


def replayed(recordings: Sequence[Recording], playback: Playback) -> Iterator[FeedRecord]:
    """Admissions, then all sets of all *recordings* in time order, each received when it was observed.

    Raises ReplayError where two files would speak of one patient.
    """
    _check_patients(recordings)
    if playback.ward is not None:
        yield from _admissions(recordings, playback, playback.ward)
    streams = [_observations(recording, playback) for recording in recordings]
    yield from merge(*streams, key=lambda record: record.due_ms)


def patient_of(recording: Recording) -> str:
    """The patient id: the mapping's prefix and the file's name without its ending."""
    return f"{recording.mapping.patient_prefix}{PurePath(recording.name).stem}"


def _observations(recording: Recording, playback: Playback) -> Iterator[FeedRecord]:
    for observed in recording.sets:
        observed_ms = playback.start_ms + observed.after_ms
        yield observation(
            message_id=identifier(
                "replayed", playback.mode, playback.start_ms, recording.name, observed.line
            ),
            patient_id=patient_of(recording),
            device_id=recording.mapping.device_id,
            observed_ms=observed_ms,
            acquisition=recording.mapping.acquisition,
            mode=playback.mode,
            values=observed.values,
            received_ms=observed_ms,
        )


def _admissions(recordings: Sequence[Recording], playback: Playback, ward: str) -> Iterator[FeedRecord]:
    for number, recording in enumerate(recordings, start=1):
        yield admission(
            patient_id=patient_of(recording),
            ward=ward,
            bed=f"{playback.bed_prefix}{number:02}",
            mode=playback.mode,
            issued_ms=playback.start_ms,
            received_ms=playback.start_ms,
        )


def _check_patients(recordings: Sequence[Recording]) -> None:
    seen: dict[str, str] = {}
    for recording in recordings:
        patient = patient_of(recording)
        if patient in seen:
            raise ReplayError(
                f"{recording.name} and {seen[patient]} would be one patient: rename one of them"
            )
        seen[patient] = recording.name
