"""What an operator sees of a dead letter, and what not unless asked for."""

from io import StringIO

import orjson
import pytest
from rich.console import Console

from tests.unit.dead_letters.letters import a_letter
from worker.dead_letters import telling
from worker.dead_letters.planning import Plan


def printed(table):
    out = StringIO()
    Console(file=out, width=300).print(table)
    return out.getvalue()


def test_without_being_asked_nothing_of_a_patient_is_shown():
    letter = a_letter(key=b"P-0042", value=b"Mabel", headers=(("ce_subject", b"P-0042"),))
    told = [
        printed(telling.table_of([letter])),
        *telling.lines_in_full([letter], with_payload=False),
        orjson.dumps(telling.json_of(letter)).decode(),
        orjson.dumps(telling.json_in_full(letter, with_payload=False)).decode(),
    ]

    assert not [text for text in told if "P-0042" in text or "Mabel" in text or "TWFiZW" in text]


def test_with_payload_text_is_text_and_anything_else_is_hexadecimal():
    text = "\n".join(telling.lines_in_full([a_letter()], with_payload=True))

    assert "P-0042" in text
    assert "ff 00 20 4d 61 62 65 6c" in text
    assert "header    null: null" in text


@pytest.mark.parametrize("payload", [True, False])
def test_a_terminal_obeys_nothing_that_a_producer_wrote(payload):
    hostile = a_letter(value=b"\x1b[2J", headers=(("\x1b[2J", b"\x1b]0;x\x07"), ("\u202e", b"\r")))

    text = "\n".join(telling.lines_in_full([hostile], with_payload=payload))

    assert text.replace("\n", "").isprintable()


def test_a_markup_of_the_terminal_library_in_a_device_is_only_text():
    assert "[bold]x[/]" in printed(telling.table_of([a_letter(device_id="[bold]x[/]")]))


def test_what_a_replay_leaves_out_is_told_by_reason():
    plan = Plan(most_rounds=3)
    plan.take([a_letter(replayed="sent")], ())
    plan.take([a_letter(position=1), a_letter(position=2, reason="unit_missing")], ())

    assert (len(plan.places), plan.reasons.total()) == (1, 2)
    assert list(telling.left_out(plan, too_large=2)) == [
        "left out, sent before (--again sends them once more): 1",
        "left out, too large for the topic with the headers that a replay adds: 2",
    ]
    assert "unit_missing" in printed(telling.histogram_of(plan))
