"""Why a database refuses us, in words for the operator: decided from the error, None where waiting may help."""

import ssl
from collections.abc import Iterator

import asyncpg

# The server answered, and what it said will be said again: waiting does not help.
_REFUSED = (
    asyncpg.InvalidAuthorizationSpecificationError,  # a wrong password among them
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
)
# PgBouncer has one code for all it refuses; these it will go on refusing.
_REFUSED_BY_POOLER = (
    "authentication failed",
    "no such user",
    "no such database",
    "does not exist",
    "SSL required",
)
# The connection broke while TLS was being agreed upon: the server may be starting.
_BROKEN_OFF = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError, ssl.SSLWantReadError)
_NO_TLS = "rejected SSL upgrade"  # asyncpg has no class for it


def refusal_of(error: BaseException) -> str | None:
    """What is wrong with the address, its certificates or its password; None where it may come right by itself."""
    return next((told for each in _and_causes(error) if (told := _refusal(each)) is not None), None)


def _refusal(error: BaseException) -> str | None:
    first = (str(error).splitlines() or [""])[0]
    match error:
        case ssl.SSLCertVerificationError():
            return f"shows a certificate that is not accepted ({error.verify_message.rstrip('.')}); see sslmode and sslrootcert"
        case ssl.SSLError() if not isinstance(error, _BROKEN_OFF):
            return f"and we do not agree on TLS ({getattr(error, 'reason', None) or first}); see sslmode, sslrootcert, sslcert and sslkey"
        case asyncpg.ClientConfigurationError():
            return f"cannot be spoken to: {first}"
        case asyncpg.ProtocolViolationError() if any(word in first for word in _REFUSED_BY_POOLER):
            return f"refuses: {first}"
        case ConnectionError() if _NO_TLS in first:
            return "offers no TLS, which sslmode asks for"
    return f"refuses: {first}" if isinstance(error, _REFUSED) else None


def _and_causes(error: BaseException) -> Iterator[BaseException]:
    following: BaseException | None = error
    while following is not None:
        yield following
        following = following.__cause__ or following.__context__
