"""The entity-relationship diagram, drawn from the tables: `python -m persistence.diagram` writes both forms."""

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Column, MetaData, Table
from sqlalchemy.dialects.postgresql.base import PGDialect

from persistence.tables import metadata

FOLDER = Path(__file__).parent

# Where each table stands, in columns from left to right, so that no line crosses a table. A table that is missing here fails the drawing.
_COLUMNS = (
    ("readings", "commands", "ticks"),
    ("charts", "alarms"),
    ("lanes", "wards", "devices", "outbox", "published_ids", "signs_of_life"),
    ("progress", "input_pauses", "dead_letters", "dead_letter_replays", "installation", "watch_gaps"),
)
_DIALECT = PGDialect()  # type: ignore[no-untyped-call]
_WIDTH, _ROW, _HEAD, _GAP_X, _GAP_Y, _MARGIN = 250, 18, 26, 70, 34, 20
_STYLE = """
  text { font: 12px ui-monospace, Menlo, Consolas, monospace; fill: #1f2933; }
  .name { font-weight: 700; fill: #ffffff; } .type { fill: #7b8794; } .key { font-weight: 700; }
  .box { fill: #ffffff; stroke: #9aa5b1; } .head { fill: #334e68; }
  .line { fill: none; stroke: #829ab1; stroke-width: 1.5; } .kept { stroke-dasharray: 5 4; }
"""


class Reference(NamedTuple):
    """A column that names a row of another table; *is_enforced* by the database, else kept by the locks."""

    table: str
    column: str
    target: str
    is_enforced: bool


class Place(NamedTuple):
    """Where a table is drawn: its upper left corner."""

    table: Table
    x: int
    y: int

    @property
    def height(self) -> int:
        """How far down it reaches."""
        return _HEAD + _ROW * len(self.table.columns) + 6

    def middle_of(self, column: str) -> int:
        """Return the height at which *column* stands."""
        return self.y + _HEAD + _ROW * list(self.table.columns.keys()).index(column) + _ROW // 2 + 2


def references(tables: MetaData) -> Iterator[Reference]:
    """Yield every reference from one table to another."""
    for table in tables.sorted_tables:
        for column in table.columns:
            for key in column.foreign_keys:
                yield Reference(table.name, column.name, key.column.table.name, is_enforced=True)
            if target := column.info.get("refers_to"):
                yield Reference(table.name, column.name, target, is_enforced=False)


def as_mermaid(tables: MetaData) -> str:
    """Return the diagram as Mermaid text, as GitHub renders it."""
    related = [f"    {each.target} ||--o{{ {each.table} : {each.column}" for each in references(tables)]
    lines = ["erDiagram", *related]
    for table in tables.sorted_tables:
        lines.append(f"    {table.name} {{")
        lines += [f"        {_type(column, '_')} {column.name}{_mark(column)}" for column in table.columns]
        lines.append("    }")
    return "\n".join(lines)


def as_markdown(tables: MetaData) -> str:
    """Return the page `er.md`."""
    meanings = "\n".join(f"| `{table.name}` | {table.comment} |" for table in tables.sorted_tables)
    return (
        "# Tables\n\nMade by `make er` from `tables.py`.\n\n"
        f"| table | holds |\n|---|---|\n{meanings}\n\n```mermaid\n{as_mermaid(tables)}\n```\n"
    )


def as_svg(tables: MetaData) -> str:
    """Return the diagram as a picture; a dashed line is a reference that the locks keep, not the database."""
    places = {place.table.name: place for place in _places(tables)}
    width = _MARGIN * 2 + len(_COLUMNS) * _WIDTH + (len(_COLUMNS) - 1) * _GAP_X
    height = _MARGIN + max(place.y + place.height for place in places.values())
    drawn = [_line(each, places) for each in references(tables)] + [_box(place) for place in places.values()]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">\n'
        f'<title>Tables of Vigil</title>\n<style>{_STYLE}</style>\n<rect width="100%" height="100%" fill="#f5f7fa"/>\n'
        + "\n".join(drawn)
        + "\n</svg>\n"
    )


def _places(tables: MetaData) -> Iterator[Place]:
    if left_out := tables.tables.keys() - {name for column in _COLUMNS for name in column}:
        raise ValueError(
            f"no place in the diagram for {', '.join(sorted(left_out))}: give it one in _COLUMNS"
        )
    for index, names in enumerate(_COLUMNS):
        y = _MARGIN
        for name in names:
            place = Place(tables.tables[name], _MARGIN + index * (_WIDTH + _GAP_X), y)
            y += place.height + _GAP_Y
            yield place


def _box(place: Place) -> str:
    x, y, table = place.x, place.y, place.table
    rows = [
        f'<rect class="box" x="{x}" y="{y}" width="{_WIDTH}" height="{place.height}" rx="5"/>',
        f'<path class="head" d="M{x} {y + _HEAD}v-{_HEAD - 5}q0-5 5-5h{_WIDTH - 10}q5 0 5 5v{_HEAD - 5}z"/>',
        f'<text class="name" x="{x + 10}" y="{y + 18}">{table.name}</text>',
    ]
    for column in table.columns:
        base, shade = place.middle_of(column.name) + 4, ' class="key"' if column.primary_key else ""
        optional = "?" if column.nullable else ""
        rows.append(f'<text{shade} x="{x + 10}" y="{base}">{column.name}{optional}</text>')
        kind = f'<text class="type" text-anchor="end" x="{x + _WIDTH - 10}" y="{base}">'
        rows.append(f"{kind}{escape(_type(column))}</text>")
    return f"<g><title>{escape(table.comment or '')}</title>\n" + "\n".join(rows) + "\n</g>"


def _line(reference: Reference, places: dict[str, Place]) -> str:
    one, other = places[reference.table], places[reference.target]
    start_y, end_y = one.middle_of(reference.column), other.y + _HEAD // 2
    start_x, end_x, bend = _sides(one, other)
    kept = "" if reference.is_enforced else " kept"
    fork = f"M{start_x} {start_y - 5}l{bend // 5} 5l{-bend // 5} 5"  # many of them
    return (
        f'<path class="line" d="{fork}"/><path class="line{kept}" d="M{start_x} {start_y}'
        f'C{start_x + bend} {start_y} {end_x + (bend if start_x == end_x else -bend)} {end_y} {end_x} {end_y}"/>'
    )


def _sides(one: Place, other: Place) -> tuple[int, int, int]:
    """Return where a line leaves *one*, where it comes to *other*, and which way it bends."""
    if one.x > other.x:
        return one.x, other.x + _WIDTH, -50
    if one.x < other.x:
        return one.x + _WIDTH, other.x, 50
    return one.x, other.x, -50


def _type(column: Column[object], blank: str = " ") -> str:
    # Mermaid takes one word for a type, hence *blank*.
    named = column.type.compile(dialect=_DIALECT).partition(" COLLATE")[0].lower()
    return named.replace("timestamp with time zone", "timestamptz").replace(" ", blank)


def _mark(column: Column[object]) -> str:
    refers = bool(column.foreign_keys or column.info.get("refers_to"))
    marks = [mark for mark, holds in (("PK", column.primary_key), ("FK", refers)) if holds]
    return f" {', '.join(marks)}" if marks else ""


def main() -> None:
    """Write the diagram beside this module."""
    (FOLDER / "er.md").write_text(as_markdown(metadata), encoding="utf-8")
    (FOLDER / "er.svg").write_text(as_svg(metadata), encoding="utf-8")


if __name__ == "__main__":
    main()
