"""The drawn tables are the tables."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from sqlalchemy import Column, Integer, MetaData, Table

from persistence import diagram
from persistence.tables import metadata


@pytest.mark.parametrize(
    ("name", "draw"), [("er.md", diagram.as_markdown), ("er.svg", diagram.as_svg)], ids=["text", "picture"]
)
def test_the_diagram_shows_the_tables_as_they_are(name, draw):
    drawn = (Path(diagram.__file__).parent / name).read_text(encoding="utf-8")

    assert drawn == draw(metadata), "run `make er`"


def test_the_picture_is_sound_xml_and_names_every_column():
    root = ET.fromstring(diagram.as_svg(metadata))  # noqa: S314 - we drew it

    words = {element.text for element in root.iter() if element.text}
    names = {f"{c.name}{'?' * bool(c.nullable)}" for table in metadata.tables.values() for c in table.columns}
    assert names | set(metadata.tables) <= words


def test_every_reference_leads_to_a_table():
    assert {each.target for each in diagram.references(metadata)} <= set(metadata.tables)


def test_a_table_without_a_place_is_refused():
    tables = MetaData()
    Table("stray", tables, Column("id", Integer, primary_key=True))

    with pytest.raises(ValueError, match="stray"):
        diagram.as_svg(tables)
