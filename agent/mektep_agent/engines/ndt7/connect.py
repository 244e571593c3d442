"""From addresses to a connection: TCP, a proxy's tunnel where one is set, TLS. Blocks, with one deadline for all."""

import errno
import socket
import ssl
import threading
from typing import Final
from urllib.parse import urlsplit

from mektep_agent.clock import TimeSource
from mektep_agent.engines.engine import EngineError
from mektep_agent.engines.ndt7.handshake import MAX_ANSWER_HEAD_BYTES, Answer, looks_like_http, parse_answer
from mektep_agent.engines.ndt7.stream import READ, WRITE, Stream, StreamLostError
from mektep_agent.engines.ndt7.target import Target
from mektep_agent.engines.resolve import Address
from mektep_agent.engines.tls import tls_failure
from mektep_wire import FailureKind

_HEAD_END: Final = b"\r\n\r\n"
_PROXY_PORT: Final = 8080
_FEWEST_S: Final = 0.05
_WSAEWOULDBLOCK: Final = 10_035  # connect_ex gives Windows' own code
_UNDER_WAY: Final = {0, errno.EINPROGRESS, errno.EWOULDBLOCK, _WSAEWOULDBLOCK}
_KINDS: Final = {
    errno.ECONNREFUSED: FailureKind.CONNECTION_REFUSED,
    errno.ECONNRESET: FailureKind.CONNECTION_RESET,
    errno.ECONNABORTED: FailureKind.CONNECTION_RESET,
    errno.ETIMEDOUT: FailureKind.CONNECT_TIMEOUT,
    errno.ENETUNREACH: FailureKind.NETWORK_UNREACHABLE,
    errno.ENETDOWN: FailureKind.NETWORK_UNREACHABLE,
    errno.EADDRNOTAVAIL: FailureKind.NETWORK_UNREACHABLE,
    errno.EHOSTUNREACH: FailureKind.HOST_UNREACHABLE,
    errno.EHOSTDOWN: FailureKind.HOST_UNREACHABLE,
    errno.EACCES: FailureKind.NETWORK_UNREACHABLE,
    errno.EPERM: FailureKind.NETWORK_UNREACHABLE,
}


class Connector:
    """Opens one test's connection. `until_s` is on the clock of `time`."""

    def __init__(self, time: TimeSource, abandoned: threading.Event, until_s: float) -> None:
        self._time = time
        self._abandoned = abandoned
        self._until_s = until_s

    def connect(self, addresses: tuple[Address, ...]) -> Stream:
        """Return a connection to the first address that answers; raises EngineError with the last one's trouble.

        Addresses are tried in order (RFC 8305 in its simple form): one that stays silent gets an equal share of the
        time that is left, so that a dead IPv6 route does not use up the time of a working IPv4 one.
        """
        trouble = EngineError(FailureKind.CONNECT_TIMEOUT, "there was no time left to connect")
        for index, address in enumerate(addresses):
            left_s = self._until_s - self._time.monotonic_s()
            if left_s < _FEWEST_S:
                break
            try:
                return self._connect(address, self._time.monotonic_s() + left_s / (len(addresses) - index))
            except EngineError as error:
                if error.kind is FailureKind.INTERRUPTED:
                    raise
                trouble = error
        raise trouble

    def tunnel(self, stream: Stream, target: Target) -> None:
        """Have the proxy at the end of `stream` connect to `target` (RFC 9110 section 9.3.6); raises EngineError."""
        host = f"[{target.host}]" if ":" in target.host else target.host
        place = f"{host}:{target.port}"
        self.send(stream, f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n".encode("ascii"))
        try:
            answer, rest = self.receive_answer(stream)
        except EngineError as error:
            if error.kind is FailureKind.INTERRUPTED:
                raise
            raise EngineError(FailureKind.PROXY_ERROR, f"the proxy gave no answer: {error.detail}") from None
        said = f"HTTP {answer.status} {answer.reason}".rstrip()
        if answer.status == 407:
            raise EngineError(
                FailureKind.PROXY_ERROR, f"the proxy asks for credentials, which is not supported ({said})"
            )
        if not 200 <= answer.status < 300:
            raise EngineError(FailureKind.PROXY_ERROR, f"the proxy did not let the test through to {place} ({said})")
        if rest:
            raise EngineError(FailureKind.PROXY_ERROR, "the proxy sent more than its answer")

    def secure(self, stream: Stream, context: ssl.SSLContext, host: str) -> None:
        """Put TLS on `stream`; raises EngineError of the TLS family, STALLED where the handshake does not end."""
        try:
            is_done = stream.handshake_tls(context, host, self._until_s)
        except OSError as error:
            raise tls_failure(host, error) from None
        if not is_done:
            raise EngineError(FailureKind.STALLED, f"{host} accepted the connection, but not TLS in time")

    def send(self, stream: Stream, data: bytes) -> None:
        """Send all of `data`; raises EngineError."""
        rest = memoryview(data)
        try:
            while rest := rest[stream.send(rest) :]:
                if not stream.wait(WRITE, self._until_s):
                    raise EngineError(FailureKind.STALLED, "the request could not be sent in time")
        except StreamLostError as error:
            raise EngineError(FailureKind.CONNECTION_RESET, f"the connection broke: {error}") from None

    def receive_answer(self, stream: Stream) -> tuple[Answer, bytes]:
        """Return the head of the response and what came behind it; raises EngineError where none comes whole."""
        head = bytearray()
        buffer = memoryview(bytearray(MAX_ANSWER_HEAD_BYTES))
        while (end := head.find(_HEAD_END)) < 0:
            if len(head) > MAX_ANSWER_HEAD_BYTES:
                raise EngineError(FailureKind.PROTOCOL_ERROR, "the answer's head does not end")
            try:
                count = stream.receive_into(buffer)
            except StreamLostError as error:
                raise EngineError(FailureKind.CONNECTION_RESET, f"no answer but: {error}") from None
            if count == 0:
                raise EngineError(FailureKind.CLOSED_EARLY, "the server closed the connection instead of answering")
            if count is None:
                stream.wait(READ, self._until_s)
            else:
                head += buffer[:count]
                if not looks_like_http(bytes(head)):
                    raise EngineError(FailureKind.PROTOCOL_ERROR, "the answer is not HTTP; is this an NDT7 server?")
            if self._time.monotonic_s() >= self._until_s:
                raise EngineError(FailureKind.STALLED, "the connection stood, but no whole answer came in time")
        return parse_answer(bytes(head[:end])), bytes(head[end + len(_HEAD_END) :])

    def _connect(self, address: Address, until_s: float) -> Stream:
        try:
            connection = socket.socket(address.family, socket.SOCK_STREAM)
        except OSError as error:
            raise _failure(address, error.errno) from None
        try:
            connection.setblocking(False)
            code = connection.connect_ex(address.endpoint)
        except OSError as error:
            connection.close()
            raise _failure(address, error.errno) from None
        if code not in _UNDER_WAY:
            connection.close()
            raise _failure(address, code)
        stream = Stream(connection, self._time, self._abandoned)
        try:
            if code:
                _await_connection(stream, address, until_s)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            stream.close()
            raise _failure(address, error.errno) from None
        except EngineError:
            stream.close()
            raise
        return stream


def _await_connection(stream: Stream, address: Address, until_s: float) -> None:
    if not stream.wait(WRITE, until_s):
        detail = f"{address.host} port {address.endpoint[1]} did not answer in time"
        raise EngineError(FailureKind.CONNECT_TIMEOUT, detail)
    code = stream.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise _failure(address, code)


def parse_proxy(text: str) -> tuple[str, int]:
    """Return host and port of `http://host:port`; raises EngineError (PROXY_ERROR) for anything else."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise EngineError(FailureKind.PROXY_ERROR, f"the proxy's address is wrong: {error}") from None
    if parts.scheme != "http" or not parts.hostname or parts.username is not None:
        detail = "the proxy's address must read http://host:port, without a user name: no other proxy is supported"
        raise EngineError(FailureKind.PROXY_ERROR, detail)
    return parts.hostname, port or _PROXY_PORT


def _failure(address: Address, code: int | None) -> EngineError:
    said = errno.errorcode.get(code or 0, str(code))
    known: int = getattr(errno, said.replace("WSA", ""), code or 0)  # Windows has two codes for the same
    kind = _KINDS.get(known, FailureKind.NETWORK_UNREACHABLE)
    return EngineError(kind, f"{address.host} port {address.endpoint[1]}: {said}")
