"""What a table to be scored can have wrong as a whole."""

from worker.errors import OperatorError


class ScoringError(OperatorError):
    """The table cannot be scored; the message says where and what would be right."""
