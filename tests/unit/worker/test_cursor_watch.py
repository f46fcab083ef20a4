"""What a cursor that was read tells the publisher that wrote another, or the same."""

from uuid import UUID

import pytest

from worker.cursor_watch import CursorFinding, judge_cursor
from worker.cursors import Cursor

FIFTH, SEVENTH, NINTH, STRANGE = (UUID(int=number) for number in (5, 7, 9, 99))
BEFORE, OURS = Cursor(5, FIFTH), Cursor(7, SEVENTH)
BORN = Cursor(0, UUID(int=1))


@pytest.mark.parametrize(
    ("found", "stored_nonce", "expected"),
    [
        pytest.param(OURS, SEVENTH, CursorFinding.OURS, id="as we wrote it"),
        pytest.param(BEFORE, FIFTH, CursorFinding.OURS, id="our commit is not visible yet"),
        pytest.param(Cursor(7, None), SEVENTH, CursorFinding.RESET, id="our number, written by a tool"),
        pytest.param(Cursor(5, None), FIFTH, CursorFinding.RESET, id="set back by a tool"),
        pytest.param(Cursor(0, None), BORN.nonce, CursorFinding.RESET, id="set to the earliest"),
        pytest.param(Cursor(9, None), NINTH, CursorFinding.RESET, id="set forward by a tool"),
        pytest.param(Cursor(900, None), None, CursorFinding.RESET, id="set beyond all there is"),
        pytest.param(None, None, CursorFinding.RESET, id="deleted"),
        pytest.param(Cursor(9, STRANGE), NINTH, CursorFinding.RESET, id="of another history"),
        pytest.param(Cursor(9, NINTH), NINTH, CursorFinding.AHEAD, id="another worker has gone on"),
        pytest.param(Cursor(3, STRANGE), STRANGE, CursorFinding.BEHIND, id="an older one of ours"),
    ],
)
def test_a_cursor_is_ours_or_tells_who_has_moved_it(found, stored_nonce, expected):
    assert judge_cursor(found, OURS, BEFORE, stored_nonce) is expected


@pytest.mark.parametrize("found", [None, Cursor(0, None), BORN])
def test_while_nothing_is_out_any_beginning_will_do(found):
    assert judge_cursor(found, BORN, Cursor(), BORN.nonce) is CursorFinding.OURS


def test_while_nothing_is_out_a_number_is_still_no_beginning():
    assert judge_cursor(Cursor(4, None), BORN, Cursor(), None) is CursorFinding.RESET
