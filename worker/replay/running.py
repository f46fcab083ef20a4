"""`vigil replay`: recordings of both forms to the input topics, fast or at a speed-up."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from worker.feed.pacing import Pace
from worker.feed.progress import Progress
from worker.feed.sending import feeding, send, write
from worker.feed.tally import Tally
from worker.replay.errors import RecordingError, ReplayError
from worker.replay.mapping import RecordingMapping, built_in
from worker.replay.playback import Playback, replayed
from worker.replay.recordings import Recording, read, recognised
from worker.settings import Settings
from worker.topics import TopicNames


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What was sent, and what the recordings hold that no channel names."""

    files: int
    sent: Tally
    not_mapped: Counter[str]

    def lines(self) -> list[str]:
        """For the terminal: a line for each vital sign, and one for what was left out."""
        sent = self.sent
        left_out = ", ".join(f"{name} {number:,}" for name, number in self.not_mapped.most_common())
        return [
            f"{self.files} files, {sent.commands} commands, {sent.sets:,} sets, {sent.readings_sent:,} readings:",
            *(f"  {sign:<20} {number:>8,}" for sign, number in sorted(sent.readings.items())),
            f"not mapped: {left_out or 'nothing'}",
        ]


def recordings_from(paths: Sequence[Path], mapping: RecordingMapping | None) -> list[Recording]:
    """Read every file before anything is sent. Raises ReplayError with the first that is wrong."""
    return [_read(path, mapping) for path in paths]


async def replay(
    recordings: Sequence[Recording], playback: Playback, settings: Settings, pace: Pace, progress: Progress
) -> Summary:
    """Send what *recordings* hold, until they or *pace* end."""
    topics = TopicNames(settings.topic_prefix)
    async with feeding(settings) as producer:
        sent = await send(replayed(recordings, playback), producer, topics, pace, progress.advance)
    return _summary(recordings, sent)


def replay_into(
    out: Path, recordings: Sequence[Recording], playback: Playback, settings: Settings, progress: Progress
) -> Summary:
    """Write what would be sent into *out*, a line of JSON each."""
    topics = TopicNames(settings.topic_prefix)
    return _summary(recordings, write(replayed(recordings, playback), out, topics, progress.advance))


def _read(path: Path, mapping: RecordingMapping | None) -> Recording:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ReplayError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise RecordingError(path.name, line, "a recording is text in UTF-8") from error
    return read(path.name, text, mapping or recognised(path.name, text, built_in()))


def _summary(recordings: Sequence[Recording], sent: Tally) -> Summary:
    not_mapped = sum((recording.not_mapped for recording in recordings), Counter[str]())
    return Summary(files=len(recordings), sent=sent, not_mapped=not_mapped)
