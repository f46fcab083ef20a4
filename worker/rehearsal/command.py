"""What `vigil evaluate` does with its options."""

import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from domain.protocol_text import ProtocolError
from worker.cli_options import console
from worker.errors import OperatorError
from worker.feed.progress import Progress
from worker.protocols import load_protocol
from worker.rehearsal.bedsides import Bedsides, Told
from worker.rehearsal.telling import PAGES, json_lines, summary_of, table_of
from worker.replay.command import instant_ms
from worker.replay.mapping import load
from worker.replay.playback import Playback, replayed
from worker.replay.running import recordings_from


def evaluate(  # noqa: PLR0913  as many as the command has options
    files: Sequence[Path], *, protocol: str, mapping: Path | None, start: str, is_json: bool, is_all: bool
) -> None:
    """Evaluate *files* under *protocol* and tell what would have been said. Raises OperatorError."""
    try:
        judged_by = load_protocol(protocol)
    except ProtocolError as error:
        raise OperatorError(f"--protocol: {error}") from None
    playback = Playback(start_ms=instant_ms(start))
    recordings = recordings_from(files, load(mapping) if mapping else None)
    bedsides, told = Bedsides(judged_by), list[Told]()
    total = sum(len(recording.sets) for recording in recordings)
    with Progress(f"evaluating {len(recordings)} files", total=total) as progress:
        for record in replayed(recordings, playback):
            told += bedsides.take_all([record])
            progress.advance(record)
    shown = told if is_all else [each for each in told if each.alert.phase in PAGES]
    if is_json:
        sys.stdout.buffer.write(json_lines(shown))
    elif shown:
        console().print(table_of(shown, playback.start_ms))
    summary = summary_of(told, judged_by, patients=len(recordings), refused=bedsides.refused)
    for line in summary:
        typer.echo(line, err=True)
