"""What stood in the way of an HTTP request, in the wire's closed vocabulary."""

import errno
import socket
import ssl
from collections.abc import Iterator

import httpx

from mektep_wire import FailureKind

_BY_ERRNO = {
    errno.ECONNREFUSED: FailureKind.CONNECTION_REFUSED,
    errno.ECONNRESET: FailureKind.CONNECTION_RESET,
    errno.EPIPE: FailureKind.CONNECTION_RESET,
    errno.ENETUNREACH: FailureKind.NETWORK_UNREACHABLE,
    errno.EHOSTUNREACH: FailureKind.HOST_UNREACHABLE,
    errno.ETIMEDOUT: FailureKind.CONNECT_TIMEOUT,
}
_BY_ADDRESS_ERROR = {
    socket.EAI_AGAIN: FailureKind.DNS_TIMEOUT,
    socket.EAI_NONAME: FailureKind.DNS_NXDOMAIN,
}
_BY_TYPE: tuple[tuple[type[Exception], FailureKind], ...] = (
    (httpx.ConnectTimeout, FailureKind.CONNECT_TIMEOUT),
    (httpx.TimeoutException, FailureKind.STALLED),
    (httpx.ProxyError, FailureKind.PROXY_ERROR),
    (httpx.RemoteProtocolError, FailureKind.CLOSED_EARLY),
    (httpx.ReadError, FailureKind.CONNECTION_RESET),
    (httpx.WriteError, FailureKind.CONNECTION_RESET),
    (httpx.ConnectError, FailureKind.NETWORK_UNREACHABLE),
)


def failure_of(error: httpx.HTTPError) -> FailureKind:
    """Return the kind of failure that `error` tells of, looking first at what the system said below it."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return FailureKind.TLS_CERTIFICATE
        if isinstance(cause, ssl.SSLError):
            return FailureKind.TLS_ERROR
        if isinstance(cause, socket.gaierror):
            return _BY_ADDRESS_ERROR.get(cause.errno or 0, FailureKind.DNS_ERROR)
        if isinstance(cause, OSError) and cause.errno in _BY_ERRNO:
            return _BY_ERRNO[cause.errno]
    return next((kind for of, kind in _BY_TYPE if isinstance(error, of)), FailureKind.PROTOCOL_ERROR)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield what `error` came from, the deepest last; transports wrap the system's word several times."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
