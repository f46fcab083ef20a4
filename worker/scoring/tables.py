"""A CSV table in, the same table with the score's columns out."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TextIO

from domain.news2 import score_news2
from worker.scoring.errors import ScoringError
from worker.scoring.news2_rows import ADDED_COLUMNS, COLUMNS, added_cells, row_of

INCOMPLETE = "incomplete"
"""What a row without a total is counted as."""


def score_table(path: Path, out: TextIO) -> Counter[str]:
    """Write the table at *path* into *out* with its scores; returns how many rows fell into each band.

    Raises ScoringError with file, line and column of what cannot be read.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines, strict=True)
            columns = _checked(path, reader.fieldnames)
            writer = csv.DictWriter(out, (*columns, *ADDED_COLUMNS), lineterminator="\n")
            writer.writeheader()
            bands: Counter[str] = Counter()
            for cells in _scored(path, reader):
                writer.writerow(cells)
                bands[cells["band"] if cells["total"] else INCOMPLETE] += 1
            return bands
    except OSError as error:
        raise ScoringError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ScoringError(f"{path} is not a CSV file in UTF-8") from None
    except csv.Error as error:
        raise ScoringError(f"{path} is not a CSV file: {error}") from None


def _checked(path: Path, columns: Iterable[str] | None) -> tuple[str, ...]:
    names = tuple(columns or ())
    if missing := [each for each in COLUMNS if each not in names]:
        raise ScoringError(f"{path} has no column {missing[0]}; it must have {','.join(COLUMNS)}")
    if taken := [each for each in ADDED_COLUMNS if each in names]:
        raise ScoringError(f"{path} has a column {taken[0]} already; rename it, it is one of those added")
    return names


def _scored(path: Path, reader: "csv.DictReader[str]") -> Iterator[Mapping[str, str]]:
    for cells in reader:
        if None in cells or None in cells.values():
            raise ScoringError(f"{path} line {reader.line_num}: not as many cells as there are columns")
        try:
            row = row_of(cells)
        except ScoringError as error:
            raise ScoringError(f"{path} line {reader.line_num}: {error}") from None
        yield {**cells, **added_cells(score_news2(row.findings), row.remarks)}
