"""What `vigil census` prints: a table for people, a document for programs."""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from domain.times import from_ms
from domain.watch import SPOKEN, Watch, WatchState
from worker.census import Census, Patient, Source, WardCensus
from worker.messages.announced_words import rfc3339
from worker.watch_heading import STYLES, spoken_counts
from worker.watch_words import age, moment, plain

_STYLE = {
    WatchState.NOT_WATCHED: STYLES["high"],
    WatchState.PARTLY: STYLES["medium"],
    WatchState.WATCHED: "green",
}


def as_json(census: Census) -> str:
    """The census as one JSON document; *counts* is null where nobody could be asked."""
    document = {
        "at": rfc3339(census.at),
        "source": census.source,
        "reason": census.reason,
        "since": None if census.since is None else rfc3339(census.since),
        "counts": None if census.source is Source.NONE else _by_word(census.counts),
        "wards": [{"ward": each.ward, "mode": each.mode, **_by_word(each.counts)} for each in census.wards],
        "patients": [_plain(each) for each in census.patients],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()


def _by_word(counts: Mapping[WatchState, int]) -> dict[str, int]:
    return {state.value: counts[state] for state in WatchState}


def _plain(patient: Patient) -> dict[str, object]:
    watch = patient.watch
    return {
        "patient_id": patient.patient_id,
        "mode": patient.mode,
        "ward": patient.ward,
        "bed": patient.bed,
        "lane": patient.lane,
        "state": watch.state,
        "reason": watch.reason,
        "since": None if watch.since_ms is None else rfc3339(from_ms(watch.since_ms)),
    }


def tell(census: Census, console: Console, zone: tzinfo | None = None) -> None:
    """Print the census; times are in *zone*, None for that of this machine."""
    if census.source is Source.NONE:
        console.print(
            Text("NOBODY IS KNOWN TO BE WATCHED: neither database nor broker answers", STYLES["high"])
        )
        return
    console.print(spoken_counts(census.counts))
    if census.source is Source.HEARTBEATS:
        console.print(_without_names(census, zone))
        console.print(_wards(census.wards))
    elif census.patients:
        console.print(_patients(census, zone))


def _without_names(census: Census, zone: tzinfo | None) -> Text:
    since = "" if census.since is None else f" since {moment(census.since, census.at, zone)}"
    lost = census.counts[WatchState.NOT_WATCHED]
    said = f"nobody evaluates{since}" if lost and census.since else "told by the last heartbeats"
    return Text(f"the database does not answer, so nobody can be named: {said}", "bold yellow")


def _wards(wards: Sequence[WardCensus]) -> Table:
    table = Table("Ward", "Data", *(state.replace("_", " ") for state in WatchState), box=None)
    for each in wards:
        table.add_row(plain(each.ward), each.mode, *(str(each.counts[state]) for state in WatchState))
    return table


def _patients(census: Census, zone: tzinfo | None) -> Table:
    table = Table("State", "Ward", "Bed", "Patient", "Data", "Reason", "Since", box=None)
    for each in census.patients:
        table.add_row(
            Text(each.watch.state.replace("_", " "), _STYLE[each.watch.state]),
            plain(each.ward),
            plain(each.bed or "-"),
            plain(f"…{each.patient_id[-4:]}"),
            each.mode,
            SPOKEN[each.watch.reason] if each.watch.reason else "",
            _since(each.watch, census.at, zone),
        )
    return table


def _since(watch: Watch, now: datetime, zone: tzinfo | None) -> str:
    if watch.since_ms is None:
        return ""
    since = from_ms(watch.since_ms)
    return f"{moment(since, now, zone)} ({age(since, now)})"
