"""What an operator asks for: filters, times in the reader's own zone, the id of a dead letter."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from persistence.dead_letter_search import DeadLetterFilter, FoundLetter
from worker.errors import OperatorError
from worker.messages.refusals import RefusalReason, Stage

_ID = re.compile(
    r"/?(?P<topic>[^/]+)/(?P<partition>[0-9]{1,9})/(?P<offset>[0-9]{1,18})(#(?P<position>[0-9]{1,4}))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The filters of the command line, as they were typed."""

    stages: Sequence[str] = ()
    reasons: Sequence[str] = ()
    device: str | None = None
    partition: int | None = None
    since: str | None = None
    until: str | None = None
    letter_id: str | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing was asked for."""
        return self == Asked()


def filter_of(asked: Asked) -> DeadLetterFilter:
    """Return the filter that *asked* means. Raises OperatorError in one line that says what would be right."""
    since, until = _instant("--since", asked.since), _instant("--until", asked.until)
    if since is not None and until is not None and since >= until:
        raise OperatorError(f"--since {asked.since} is not before --until {asked.until}")
    wanted = DeadLetterFilter(
        stages=_words("--stage", asked.stages, Stage) or None,
        reasons=_words("--reason", asked.reasons, RefusalReason) or None,
        device_id=asked.device,
        partition=asked.partition,
        since=since,
        until=until,
    )
    return wanted if asked.letter_id is None else _by_id(wanted, asked.letter_id)


def text_of(wanted: DeadLetterFilter) -> str:
    """Return *wanted* in words; the same filter gives the same words."""
    told = {name: value for name, value in wanted._asdict().items() if value is not None}
    return " ".join(f"{name}={_word(value)}" for name, value in told.items()) or "all"


def id_of(letter: FoundLetter) -> str:
    """Return by what *letter* is asked for: its place in the log, and which reading of the set it is."""
    path = letter.place.path
    return f"{path}#{letter.position}" if letter.position else path


def _word(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return ",".join(str(each) for each in value) if isinstance(value, list) else str(value)


def _words(option: str, given: Sequence[str], words: Iterable[str]) -> list[str]:
    known = sorted(words)
    if unknown := [each for each in given if each not in known]:
        raise OperatorError(f"{option} {unknown[0]}: there is none; right would be one of {', '.join(known)}")
    return sorted(given)


def _instant(option: str, text: str | None) -> datetime | None:
    """Read a date and time; without a zone it is the reader's own."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError, OSError):
        raise OperatorError(
            f"{option} {text} is no date and time; right would be 2026-11-23T10:15 (here) or 2026-11-23T10:15Z (UTC)"
        ) from None


def _by_id(wanted: DeadLetterFilter, letter_id: str) -> DeadLetterFilter:
    try:
        return wanted._replace(correlation_id=UUID(letter_id))
    except ValueError:
        found = _ID.fullmatch(letter_id)
    if found is None:
        raise OperatorError(
            f"{letter_id} is no id of a dead letter; right would be vitals.readings.v1/3/4711 "
            "(topic, partition, offset), one reading of it …/4711#2, or a correlation id"
        )
    position = found["position"]
    return wanted._replace(
        topic=found["topic"],
        partition=int(found["partition"]),
        offset=int(found["offset"]),
        position=None if position is None else int(position),
    )
