"""Whom a `wss` test trusts: the system's own store, or the authorities in one file."""

import ssl
from pathlib import Path

try:
    import truststore
except ModuleNotFoundError:  # it ships with the agent, but the engine also works without
    _CONTEXT: type[ssl.SSLContext] = ssl.SSLContext
else:
    _CONTEXT = truststore.SSLContext

from mektep_agent.engines.engine import EngineError
from mektep_wire import FailureKind


def trust_context(authorities: Path | None) -> ssl.SSLContext:
    """Return the context for a test; raises EngineError (ENGINE_UNAVAILABLE) where `authorities` cannot be used.

    With `authorities`, a PEM file, only the certificates in it are trusted; else what this computer trusts.
    """
    if authorities is not None:
        try:
            context = ssl.create_default_context(cafile=authorities)
        except OSError as error:
            detail = f"the file of authorities {authorities} cannot be used ({error}); it must be PEM and readable"
            raise EngineError(FailureKind.ENGINE_UNAVAILABLE, detail) from None
    else:
        context = _CONTEXT(ssl.PROTOCOL_TLS_CLIENT)
        context.load_default_certs()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def tls_failure(host: str, error: OSError) -> EngineError:
    """Return what an error of the TLS handshake with `host` means."""
    if isinstance(error, ssl.SSLCertVerificationError):
        why = error.verify_message or error.reason or str(error)
        return EngineError(FailureKind.TLS_CERTIFICATE, f"the certificate of {host} is not accepted: {why}")
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return EngineError(FailureKind.TLS_ERROR, f"{host} broke off the TLS handshake")
    if isinstance(error, ssl.SSLError):
        return EngineError(FailureKind.TLS_ERROR, f"TLS with {host} failed: {error.reason or error}")
    return EngineError(FailureKind.CONNECTION_RESET, f"the connection broke in the TLS handshake with {host}: {error}")
