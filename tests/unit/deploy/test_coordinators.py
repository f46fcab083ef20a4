import pytest

from deploy.local.coordinators import java_hash


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", 0),
        ("hello", 99162322),
        pytest.param("zzzzzz", -685785664, id="more than 32 bits"),
        pytest.param("polygenelubricants", 0, id="the lowest number has no opposite"),
    ],
)
def test_names_are_counted_as_java_does(text, value):
    assert java_hash(text) == value
