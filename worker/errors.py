"""What ends the worker, sorted by who must act: each error carries its exit code and one clear line."""


class WorkerError(Exception):
    """Root of what the worker raises; *exit_code* is what the process ends with."""

    exit_code = 1  # a defect of ours


class OperatorError(WorkerError):
    """Something is set up wrongly; the message says what, and what would be right."""

    exit_code = 2


class SettingsError(OperatorError):
    """One or more settings are wrong; one line for each."""


class UnreachableError(WorkerError):
    """Broker or database gave no answer within the time given."""

    exit_code = 3


class ConsumerDeadError(WorkerError):
    """The consumer cannot recover by itself; the process ends so that its supervisor starts it anew."""


class LaneStoppedError(WorkerError):
    """A lane cannot go on without a person: what it has published and what is stored do not fit."""


class LaneChangedError(WorkerError):
    """The lane was repaired or taken by another worker meanwhile; take it again."""
