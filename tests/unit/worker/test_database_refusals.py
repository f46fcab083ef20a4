"""What of a database's refusals waiting cannot mend."""

import ssl

import asyncpg
import pytest

from worker.database_refusals import refusal_of


def raised_from(error, cause):
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (asyncpg.InvalidPasswordError("password authentication failed"), "refuses: password authentication"),
        (asyncpg.InvalidCatalogNameError("database x does not exist"), "refuses: database x"),
        (asyncpg.ProtocolViolationError("SASL authentication failed"), "refuses: SASL"),
        (
            asyncpg.ClientConfigurationError("root certificate file does not exist"),
            "cannot be spoken to: root",
        ),
        (ConnectionError('PostgreSQL server at "h:1": rejected SSL upgrade'), "offers no TLS"),
        (ssl.SSLError(1, "unknown ca"), "do not agree on TLS (unknown ca)"),
    ],
)
def test_what_will_be_refused_again_is_told(error, told):
    assert told in str(refusal_of(raised_from(RuntimeError("wrapped"), error)))


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(),
        ConnectionResetError(),
        TimeoutError(),
        ssl.SSLEOFError(),
        asyncpg.CannotConnectNowError("starting up"),
        asyncpg.ProtocolViolationError("server login has been failing"),
    ],
)
def test_what_may_come_right_by_itself_is_waited_for(error):
    assert refusal_of(raised_from(RuntimeError("wrapped"), error)) is None
