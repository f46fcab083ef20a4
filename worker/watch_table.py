"""Tables that fit: which columns a width has room for, where their text wraps, and how many lines that takes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, takewhile

from rich.cells import cell_len, chop_cells
from rich.table import Table
from rich.text import Text

Row = Mapping[str, Text]
"""A cell for each column's name, of those columns too that find no room."""

# To these a column may be narrowed, its text wrapped; what is not named here is never wrapped.
_NARROWEST = {"Bed": 10, "Value": 11, "Limit": 17, "How": 12, "Alarm": 22}
_LAST_RESORT = 8
_GAP = 2


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns and how wide each is."""

    columns: tuple[str, ...]
    widths: tuple[int, ...]

    def lines_of(self, row: Row) -> int:
        """Return how many lines *row* takes."""
        cells = zip(self.columns, self.widths, strict=True)
        return max(len(wrapped(row[column].plain, width)) for column, width in cells)


def fitting(rows: Sequence[Row], choices: Sequence[Sequence[str]], width: int) -> Layout:
    """Lay out the first of *choices* that *width* has room for; the last is taken in any case."""
    *better, last = choices
    for columns in better:
        least = _least_widths(columns, rows)
        if _spare(least, width) >= 0:
            return _widened(least, rows, width)
    return _widened(_least_widths(last, rows), rows, width)


def _least_widths(columns: Sequence[str], rows: Sequence[Row]) -> dict[str, int]:
    natural = {name: _natural_width(name, rows) for name in columns}
    return {name: min(wide, _NARROWEST.get(name, wide)) for name, wide in natural.items()}


def _spare(widths: Mapping[str, int], width: int) -> int:
    return width - sum(widths.values()) - _GAP * (len(widths) - 1)


def _natural_width(name: str, rows: Iterable[Row]) -> int:
    return max([cell_len(name), *(cell_len(row[name].plain) for row in rows)])


def _widened(least: Mapping[str, int], rows: Sequence[Row], width: int) -> Layout:
    """Give what is to spare to those who could use it; what is missing, the alarm's text must do without."""
    widths = dict(least)
    spare = _spare(least, width)
    if spare < 0:
        widths["Alarm"] = max(_LAST_RESORT, widths["Alarm"] + spare)
    for name in [name for name in _NARROWEST if name in widths and spare > 0]:
        more = min(spare, _natural_width(name, rows) - widths[name])
        widths[name] += more
        spare -= more
    return Layout(tuple(widths), tuple(widths.values()))


def first_that_fit(rows: Iterable[Row], layout: Layout, room: int) -> int:
    """Return how many of the first *rows* fit into *room* lines."""
    ends = accumulate(layout.lines_of(row) for row in rows)
    return sum(1 for _ in takewhile(lambda end: end <= room, ends))


def table(rows: Iterable[Row], layout: Layout, *, style: str | None = None) -> Table:
    """Return *rows* as a table of exactly those columns and widths."""
    drawn = Table(box=None, pad_edge=False, header_style="bold underline")
    for name, width in zip(layout.columns, layout.widths, strict=True):
        drawn.add_column(name, width=width, no_wrap=True)
    for row in rows:
        cells = zip(layout.columns, layout.widths, strict=True)
        drawn.add_row(*(_wrapped_cell(row[name], width) for name, width in cells), style=style)
    return drawn


def _wrapped_cell(cell: Text, width: int) -> Text:
    return Text("\n".join(wrapped(cell.plain, width)), cell.style)


def wrapped(text: str, width: int) -> list[str]:
    """Break *text* between words, and within a word where that alone is too wide; nothing is lost."""
    if cell_len(text) <= width:
        return [text]
    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if cell_len(longer) <= width:
            line = longer
            continue
        lines += [line] if line else []
        *full, line = chop_cells(word, width)
        lines += full
    return [*lines, line]
