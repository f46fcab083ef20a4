"""Dead letters as an operator sees them: a table, lines of JSON, one letter in full."""

from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from rich.table import Table
from rich.text import Text

from persistence.dead_letter_search import FoundLetter
from worker.dead_letters.planning import Plan
from worker.dead_letters.rounds import original_headers, round_of
from worker.dead_letters.selection import id_of

_OURS = ("dlq-", "vigil-replay-", "correlation_id")
_WIDTH = 16  # bytes in a line of hexadecimal


def table_of(letters: Sequence[FoundLetter]) -> Table:
    """Return a row for each of *letters*; nothing of a patient."""
    table = Table("received", "stage", "reason", "device", "round", "replayed", "bytes", "id", box=None)
    for letter in letters:
        table.add_row(
            f"{letter.received_at.astimezone():%Y-%m-%d %H:%M:%S}",
            letter.stage,
            letter.reason,
            Text(letter.device_id or ""),
            str(round_of(letter.headers) or ""),
            letter.replayed or "",
            "" if letter.value_size is None else f"{letter.value_size:,}",
            Text(id_of(letter)),
        )
    return table


def json_of(letter: FoundLetter) -> dict[str, Any]:
    """Return what a line of JSON tells of *letter*; nothing of a patient."""
    return {
        "id": id_of(letter),
        **letter.place._asdict(),
        "position": letter.position,
        "received_at": letter.received_at.astimezone(),
        "stage": letter.stage,
        "reason": letter.reason,
        "device_id": letter.device_id,
        "correlation_id": letter.correlation_id,
        "round": round_of(letter.headers),
        "replayed": letter.replayed,
        "key_size": letter.key_size,
        "value_size": letter.value_size,
    }


def json_in_full(letter: FoundLetter, *, with_payload: bool) -> dict[str, Any]:
    """Return *letter* with its problem and headers, and with its bytes (base64) only if *with_payload*."""
    told = json_of(letter) | {"problem": orjson.Fragment(letter.problem)}
    if not with_payload:
        return told | {"headers": [name for name, _ in letter.headers]}
    return told | {
        "headers": [[name, _base64(value)] for name, value in letter.headers],
        "key": _base64(letter.key),
        "value": _base64(letter.value),
    }


def lines_in_full(letters: Sequence[FoundLetter], *, with_payload: bool) -> Iterator[str]:
    """Yield the lines that show one record: what was wrong, its headers, and its bytes if *with_payload*."""
    first = letters[0]
    yield f"record    {first.place.path}"
    yield f"received  {first.received_at.astimezone().isoformat(timespec='milliseconds')}"
    yield f"replayed  {first.replayed or 'no'}, came back {round_of(first.headers)} times"
    for letter in letters:
        problem = orjson.loads(letter.problem)
        yield f"problem   {letter.stage}: {letter.reason}: {problem.get('title', '')} {problem.get('detail', '')}"
        yield from (f"          {error['loc']}: {error['code']}" for error in problem.get("errors", ()))
    came = len(original_headers(first.headers))
    for number, (name, value) in enumerate(first.headers):
        is_told = with_payload or (number >= came and name.startswith(_OURS))
        yield f"header    {_printable(name)}: {_text(value) if is_told else _size(value)}"
    for word, value in (("key", first.key), ("value", first.value)):
        yield from _shown(word, value, with_payload=with_payload)
    if not with_payload:
        yield "Bytes are shown with --payload: they may name a patient."


def histogram_of(plan: Plan) -> Table:
    """Return how many dead letters there are by stage and reason."""
    table = Table("stage", "reason", "dead letters", box=None)
    for (stage, reason), count in sorted(plan.reasons.items(), key=lambda each: (-each[1], each[0])):
        table.add_row(stage, reason, f"{count:,}")
    return table


def left_out(plan: Plan, too_large: int = 0) -> Iterator[str]:
    """Yield a line for each sort of record that a replay leaves out."""
    counts = Counter(
        {
            "sent before (--again sends them once more)": plan.replayed_before,
            f"come back {plan.most_rounds} times already (--max-rounds)": plan.too_often,
            "too large for the topic with the headers that a replay adds": too_large,
        }
    )
    yield from (f"left out, {why}: {count:,}" for why, count in counts.items() if count)


def _shown(word: str, value: bytes | None, *, with_payload: bool) -> Iterator[str]:
    if value is None or not with_payload:
        yield f"{word:9} {_size(value)}"
    elif (text := _as_text(value)) is not None:
        yield f"{word:9} {text}"
    else:
        yield f"{word:9} {len(value):,} bytes"
        yield from (
            f"          {begin:08x}  {value[begin : begin + _WIDTH].hex(' ')}"
            for begin in range(0, len(value), _WIDTH)
        )


def _text(value: bytes | None) -> str:
    if value is None:
        return "null"
    text = _as_text(value)
    return value.hex(" ") if text is None else text


def _as_text(value: bytes) -> str | None:
    """Return *value* as text if a terminal can show all of it and obeys none of it."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() else None


def _printable(name: str) -> str:
    return name if name.isprintable() else ascii(name)


def _size(value: bytes | None) -> str:
    return "null" if value is None else f"{len(value):,} bytes"


def _base64(value: bytes | None) -> str | None:
    return None if value is None else b64encode(value).decode()
