"""What can go wrong with the local services."""

from collections.abc import Sequence


class LocalServiceError(Exception):
    """Root of this package's errors."""


class SourceUnavailableError(LocalServiceError):
    """One of the places where a service may come from has none to give; the text says why."""


class ServiceUnavailableError(LocalServiceError):
    """None of the three places had the service; the text names all three and what to install."""

    def __init__(self, service: str, reasons: Sequence[str], *, otherwise: str) -> None:
        tried = "\n".join(f"  {number}. {reason}" for number, reason in enumerate(reasons, start=1))
        super().__init__(f"No {service} can be had. Tried, in this order:\n{tried}\nInstall {otherwise}.")


class ServiceFailedError(LocalServiceError):
    """A service of ours ended, or did not answer in time."""


class NotControllableError(LocalServiceError):
    """The service was given to us by its address; it is not ours to stop."""
