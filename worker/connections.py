"""How every client of the broker connects: one place for addresses and security."""

import ssl
from typing import Any

from faststream.kafka.security import parse_security
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from worker.errors import SettingsError
from worker.settings import SaslMechanism, SecurityProtocol, Settings

REQUEST_TIMEOUT_MS = 10_000
_SASL = {
    SaslMechanism.PLAIN: SASLPlaintext,
    SaslMechanism.SCRAM_SHA_256: SASLScram256,
    SaslMechanism.SCRAM_SHA_512: SASLScram512,
}


def security_of(settings: Settings) -> BaseSecurity | None:
    """What FastStream needs to know; None for a plain connection. Raises SettingsError."""
    protocol = settings.kafka_security_protocol
    if protocol is SecurityProtocol.PLAINTEXT:
        return None
    context = None if protocol is SecurityProtocol.SASL_PLAINTEXT else _tls(settings)
    if protocol is SecurityProtocol.SSL:
        return BaseSecurity(ssl_context=context, use_ssl=True)
    password = settings.kafka_sasl_password
    return _SASL[settings.kafka_sasl_mechanism](
        username=settings.kafka_sasl_username or "",
        password=password.get_secret_value() if password else "",
        ssl_context=context,
        use_ssl=context is not None,
    )


def _tls(settings: Settings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.kafka_ca_file)
        if settings.kafka_certificate_file:
            context.load_cert_chain(settings.kafka_certificate_file, settings.kafka_key_file)
    except (ssl.SSLError, OSError) as error:
        raise SettingsError(
            f"VIGIL_KAFKA_CA_FILE, …_CERTIFICATE_FILE, …_KEY_FILE: cannot be used: {error}"
        ) from None
    return context


def client_arguments(settings: Settings) -> dict[str, Any]:
    """What every aiokafka client is made with."""
    return {
        "bootstrap_servers": settings.kafka_bootstrap_servers.split(","),
        "request_timeout_ms": REQUEST_TIMEOUT_MS,
        **parse_security(security_of(settings)),
    }
