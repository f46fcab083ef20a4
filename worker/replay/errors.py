"""What can be wrong with a recording or a mapping: one line, where and what would be right."""

from worker.errors import OperatorError


class ReplayError(OperatorError):
    """The operator's files cannot be replayed; the text names file, line and what would be right."""


class RecordingError(ReplayError):
    """A recording is not of the form its mapping describes."""

    def __init__(self, file: str, line: int, wrong: str) -> None:
        super().__init__(f"{file}, line {line}: {wrong}")


class MappingError(ReplayError):
    """A mapping file is wrong."""
