"""What may stand behind the question mark in the database's address: libpq's parameters, as far as asyncpg has them."""

from pathlib import Path

from sqlalchemy.engine import URL

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile")
_SECRET = "sslpassword"  # noqa: S105  its name
_KNOWN = {
    *("ssl", "sslmode", "sslnegotiation", "ssl_min_protocol_version", "ssl_max_protocol_version"),
    *("host", "port", "target_session_attrs", "krbsrvname", "gsslib", _SECRET),
    *_FILES,
}


def check_parameters(url: URL) -> None:
    """Raise ValueError, with what is wrong, where *url* asks for something that cannot be had."""
    query = url.normalized_query
    if unknown := sorted(query.keys() - _KNOWN):
        raise ValueError(f"has the parameter {unknown[0]}, which is unknown")
    for mode in (*query.get("sslmode", ()), *query.get("ssl", ())):
        if mode not in SSL_MODES:
            raise ValueError(f"has the sslmode {mode}, which is none of {', '.join(SSL_MODES)}")
    for name in _FILES:
        for file in query.get(name, ()):
            _check_readable(name, Path(file))


def _check_readable(name: str, file: Path) -> None:
    try:
        with file.open("rb"):
            pass
    except OSError as error:
        raise ValueError(f"names as {name} {file}, which cannot be read ({error.strerror})") from None


def without_secrets(url: URL) -> str:
    """*url* as it may be shown."""
    masked = url.update_query_dict({_SECRET: "***"}) if _SECRET in url.query else url
    return masked.render_as_string(hide_password=True)
