"""What `vigil replay` does with its options."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from rich.console import Console

from domain.observations import Mode
from domain.times import to_ms
from worker.feed.pacing import Pace
from worker.feed.progress import Progress
from worker.feed.running import run_until_stopped
from worker.replay.errors import ReplayError
from worker.replay.mapping import load
from worker.replay.playback import START, Playback
from worker.replay.running import recordings_from, replay_into
from worker.replay.running import replay as send_replayed
from worker.settings import Settings

WARD = "replay"


def replay(  # noqa: PLR0913  as many as the command has options
    settings: Settings,
    files: Sequence[Path],
    *,
    mapping: Path | None = None,
    mode: Mode | str = Mode.DEMO,
    start: str = START,
    speed_up: float | None = None,
    admit: bool = False,
    ward: str = WARD,
    bed_prefix: str = "R",
    out: Path | None = None,
) -> None:
    """Replay *files*, as fast as possible or at *speed_up*, and say what was sent. Raises WorkerError."""
    if speed_up is not None and speed_up <= 0:
        raise ReplayError(f"speed-up must be more than 0, not {speed_up:g}")
    playback = Playback(
        start_ms=instant_ms(start), mode=Mode(mode), ward=ward if admit else None, bed_prefix=bed_prefix
    )
    recordings = recordings_from(files, load(mapping) if mapping else None)
    total = sum(len(recording.sets) for recording in recordings) + (len(recordings) if admit else 0)
    with Progress(f"replaying {len(recordings)} files", total=total) as progress:
        if out is not None:
            summary = replay_into(out, recordings, playback, settings, progress)
        else:
            summary = run_until_stopped(
                lambda pace: send_replayed(recordings, playback, settings, pace, progress),
                lambda: Pace(speed_up=speed_up),
            )
    Console().print("\n".join(summary.lines()), highlight=False)


def instant_ms(text: str) -> int:
    """*text*, an instant with its zone, in milliseconds since 1970. Raises ReplayError."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ReplayError(f"start must be an instant such as {START}, not {text!r}") from None
    if instant.tzinfo is None:
        raise ReplayError(f"start must carry a time zone, such as {START}")
    return to_ms(instant)
