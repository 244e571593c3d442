"""From the operating system's errors to the wire's kinds of failure."""

import errno
import socket
import ssl

from mektep_agent.engines.engine import EngineError
from mektep_wire import FailureKind

_KINDS: dict[int, FailureKind] = {
    errno.ECONNREFUSED: FailureKind.CONNECTION_REFUSED,
    errno.ECONNRESET: FailureKind.CONNECTION_RESET,
    errno.EPIPE: FailureKind.CONNECTION_RESET,
    errno.ECONNABORTED: FailureKind.CONNECTION_RESET,
    errno.ENETUNREACH: FailureKind.NETWORK_UNREACHABLE,
    errno.ENETDOWN: FailureKind.NO_INTERFACE,
    errno.EADDRNOTAVAIL: FailureKind.NO_INTERFACE,
    errno.EHOSTUNREACH: FailureKind.HOST_UNREACHABLE,
    errno.ETIMEDOUT: FailureKind.CONNECT_TIMEOUT,
}


def from_os_error(error: OSError, where: str, otherwise: FailureKind) -> EngineError:
    """Return the engine error for `error`, met at `where`; `otherwise` for an error that no kind names."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return EngineError(FailureKind.TLS_CERTIFICATE, f"{where}: {error.verify_message}")
    if isinstance(error, TimeoutError):
        return EngineError(otherwise, f"{where}: no answer in time")
    if isinstance(error, ssl.SSLError):
        return EngineError(FailureKind.TLS_ERROR, f"{where}: {error.reason or error}")
    kind = _KINDS.get(error.errno or 0, otherwise)
    return EngineError(kind, f"{where}: {error.strerror or error}")


def from_lookup_error(error: socket.gaierror, name: str) -> EngineError:
    """Return the engine error for a failed name resolution."""
    if error.errno in {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}:
        return EngineError(FailureKind.DNS_NXDOMAIN, f"the resolver knows no address of {name}")
    if error.errno == socket.EAI_AGAIN:
        return EngineError(FailureKind.DNS_TIMEOUT, f"no resolver answered for {name}")
    return EngineError(FailureKind.DNS_ERROR, f"the resolver failed for {name}: {error.strerror or error}")
