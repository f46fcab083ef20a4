"""A dead letter written as a line and read back, and what a reader finds wrong."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.dead_letters.letters import HOSTILE, a_letter
from worker.dead_letters.lines import Content, content_of_line, line_of
from worker.dead_letters.sources import open_repaired
from worker.errors import OperatorError

BYTES = st.none() | st.binary(max_size=30)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(key=BYTES, value=BYTES, headers=st.lists(st.tuples(NAMES, BYTES), max_size=4).map(tuple))
def test_what_is_written_is_read_back_to_the_byte(key, value, headers):
    letter = a_letter(key=key, value=value, headers=headers)

    line = line_of([letter])

    assert line.count(b"\n") == 1
    assert content_of_line(1, line) == Content(letter.place, key, value, headers)


def test_a_record_is_one_line_with_all_its_problems():
    told = orjson.loads(line_of([a_letter(position=1), a_letter(position=2)]))

    assert len(told["problems"]) == 2
    assert told["problems"][0]["title"] == "The value is not a JSON document in UTF-8."


GOOD = orjson.loads(line_of([a_letter()]))


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (b"{", "line 2: it is not JSON"),
        (b"[1, 2]", "line 2: it cannot be read"),
        (orjson.dumps(GOOD | {"key": "not base64!"}), "line 2: it cannot be read"),
        (
            orjson.dumps({name: value for name, value in GOOD.items() if name != "value"}),
            "line 2: value is missing",
        ),
        (orjson.dumps(GOOD | {"offset": "4711"}), "line 2: topic, partition and offset"),
        (orjson.dumps(GOOD | {"offset": True}), "line 2: topic, partition and offset"),
        (orjson.dumps(GOOD | {"headers": [[1, None]]}), "line 2: the name of a header"),
        (orjson.dumps(GOOD | {"headers": [["only a name"]]}), "line 2: it cannot be read"),
        (orjson.dumps(GOOD), "line 2: vitals.readings.v1/3/4711 stands in the file twice"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_before_anything_is_sent(told, words, tmp_path):
    path = tmp_path / "repaired.ndjson"
    path.write_bytes(line_of([a_letter()]) + told + b"\n")

    with pytest.raises(OperatorError, match=words) as error, open_repaired(path):
        pass

    assert str(error.value).startswith(str(path))
    assert "Mabel" not in str(error.value)


def test_a_file_is_read_line_by_line_as_it_is_needed(tmp_path):
    letters = [
        a_letter(place=a_letter().place._replace(offset=offset), value=b"%d" % offset) for offset in range(5)
    ]
    path = tmp_path / "repaired.ndjson"
    path.write_bytes(b"\n".join(line_of([letter]) for letter in letters))  # empty lines in between

    with open_repaired(path) as file:
        assert [place.offset for place in file.places] == [0, 1, 2, 3, 4]
        assert file.content_of(letters[3]) == Content(letters[3].place, b"P-0042", b"3", HOSTILE)
        assert file.content_of(letters[0]).value == b"0"


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(OperatorError, match="cannot be read: No such file"), open_repaired(tmp_path / "none"):
        pass
