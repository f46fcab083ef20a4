"""Repeats in the log: while a broker is away its client says the same hundreds of times a second; once in a while is enough."""

import logging

_EVERY_SECONDS = 10.0
_OF = "aiokafka"
_MOST_KINDS = 500  # of lines: some put what varies into the text itself


class Repeats(logging.Filter):
    """Lets a line of the Kafka client through if its like has not been seen for a while, with how many were left out."""

    def __init__(self) -> None:
        super().__init__()
        self._shown_at: dict[tuple[str, str], float] = {}
        self._left_out: dict[tuple[str, str], int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether *record* is written; lines are alike if they come from one place and differ in arguments only."""
        if not record.name.startswith(_OF):
            return True
        like = (record.name, str(record.msg))
        if record.created - self._shown_at.get(like, 0.0) < _EVERY_SECONDS:
            self._left_out[like] = self._left_out.get(like, 0) + 1
            return False
        if len(self._shown_at) >= _MOST_KINDS:
            self._shown_at.clear()
            self._left_out.clear()
        self._shown_at[like] = record.created
        if left_out := self._left_out.pop(like, 0):
            record.left_out = left_out
        return True
