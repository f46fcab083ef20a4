"""The protocol a worker runs under: one that ships with Vigil, by name, or a file of the site's own."""

from importlib import resources
from pathlib import Path

from domain.protocol import Protocol
from domain.protocol_text import ProtocolError, parse_protocol

SHIPPED = ("ward-adult", "registry")


def load_protocol(name_or_path: str) -> Protocol:
    """The shipped protocol of that name, else the file at that path.

    Raises ProtocolError with one line that names the file and what would be right.
    """
    if name_or_path in SHIPPED:
        return parse_protocol(
            resources.files("domain").joinpath(f"protocols/{name_or_path}.toml").read_text("utf-8")
        )
    path = Path(name_or_path)
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProtocolError(
            f"protocol {name_or_path!r} is neither shipped ({', '.join(SHIPPED)}) nor a readable file"
        ) from error
    try:
        return parse_protocol(text)
    except ProtocolError as error:
        place = path if error.line is None else f"{path}, line {error.line}"
        raise ProtocolError(f"{place}: {error}", error.path, error.line) from error
