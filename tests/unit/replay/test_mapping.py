"""Mappings: which column is which vital sign."""

import json
import tomllib
from importlib.resources import files

import pytest

from worker.replay.errors import MappingError
from worker.replay.mapping import BUILT_IN, built_in, load, parsed

MINE = """
name = "mine"
form = "wide"
time = "minute"
acquisition = "continuous"
device_id = "d"
channels.Puls = { vital_sign = "pulse", unit = "/min", written_as = "1/min" }
"""


def test_both_shipped_mappings_are_found_in_the_package():
    assert [mapping.name for mapping in built_in()] == list(BUILT_IN)


def test_a_mapping_of_ones_own_is_read_from_toml_or_json(tmp_path):
    (tmp_path / "mine.toml").write_text(MINE)
    (tmp_path / "mine.json").write_text(json.dumps(tomllib.loads(MINE)))

    assert load(tmp_path / "mine.toml") == load(tmp_path / "mine.json")
    assert load(tmp_path / "mine.toml").channels["Puls"].vital_sign == "pulse"


@pytest.mark.parametrize(
    ("before", "after", "wrong"),
    [
        ('"pulse"', '"puls"', "channels.Puls.vital_sign"),
        ('unit = "/min"', 'unit = "bpm"', r"channels.Puls: pulse is measured in /min"),
        ('form = "wide"', 'form = "broad"', "form"),
        ('form = "wide"', 'form = "long"', "names its columns: time, parameter, value"),
        (', written_as = "1/min"', "", "written_as"),
        ('name = "mine"', 'nam = "mine"', "name"),
        ('time = "minute"', 'time = "minute', "not TOML"),
    ],
)
def test_a_wrong_mapping_is_refused_in_one_line_that_says_where(before, after, wrong):
    text = MINE.replace(before, after)
    assert text != MINE

    with pytest.raises(MappingError, match=wrong) as refused:
        parsed("mine.toml", text.encode())
    assert "\n" not in str(refused.value)


def test_a_mapping_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(MappingError, match="cannot be read: No such file"):
        load(tmp_path / "none.toml")


def test_the_shipped_mappings_say_what_each_line_is_for():
    for name in BUILT_IN:
        assert (files("worker.replay") / "mappings" / f"{name}.toml").read_text().startswith("# ")
