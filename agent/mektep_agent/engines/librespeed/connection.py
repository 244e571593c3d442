"""One connection's bytes, plain or TLS: opened, sent, received, each wait with an end. Used by one thread at a time."""

import errno
import os
import select
import socket
import ssl
import struct
import threading
from contextlib import suppress
from typing import Final

from mektep_agent.clock import TimeSource
from mektep_agent.engines.engine import EngineError
from mektep_agent.engines.failures import from_os_error
from mektep_agent.engines.librespeed.answer import MAX_HEAD_BYTES, Head, looks_like_http, parse_head
from mektep_agent.engines.librespeed.target import Target
from mektep_agent.engines.resolve import Address
from mektep_agent.engines.tcp_info import KernelCounters, read_tcp_info
from mektep_agent.engines.tls import tls_failure
from mektep_wire import FailureKind

_LOOK_S: Final = 0.1
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)
_HEAD_END: Final = b"\r\n\r\n"
_FEWEST_S: Final = 0.05
_WSAEWOULDBLOCK: Final = 10_035  # connect_ex gives Windows' own code
_UNDER_WAY: Final = {errno.EINPROGRESS, errno.EWOULDBLOCK, _WSAEWOULDBLOCK}


class EndedError(Exception):
    """The test is over: whatever waits on a connection is to let go."""


class Connection:
    """Owns a connected socket until `abort`. `over` ends every wait soon after it is set."""

    def __init__(self, connection: socket.socket, target: Target, time: TimeSource, over: threading.Event) -> None:
        self._socket = connection
        self._target = target
        self._time = time
        self._over = over

    def send(self, data: memoryview, until_s: float) -> int:
        """Return how many bytes the system took, one at least; raises EngineError, EndedError."""
        while True:
            self._check(until_s, "the server took nothing any more")
            try:
                return self._socket.send(data)
            except TimeoutError:
                continue
            except OSError as error:
                raise self._lost(error) from None

    def send_all(self, data: bytes, until_s: float) -> None:
        """Send all of `data`; raises EngineError, EndedError."""
        rest = memoryview(data)
        while rest:
            rest = rest[self.send(rest, until_s) :]

    def receive_into(self, buffer: memoryview, until_s: float) -> int:
        """Return how many bytes came, 0 at the end of the stream; raises EngineError, EndedError."""
        while True:
            self._check(until_s, "nothing came any more")
            try:
                return self._socket.recv_into(buffer)
            except TimeoutError:
                continue
            except ssl.SSLEOFError:
                return 0
            except OSError as error:
                raise self._lost(error) from None

    def receive_head(self, buffer: memoryview, until_s: float) -> tuple[Head, int, int]:
        """Return a response's head, and where in `buffer` what came behind it begins and ends.

        Raises EngineError, EndedError. `buffer` must be larger than `MAX_HEAD_BYTES`.
        """
        filled = 0
        while (end := bytes(buffer[:filled]).find(_HEAD_END)) < 0:
            if filled > MAX_HEAD_BYTES:
                raise EngineError(FailureKind.PROTOCOL_ERROR, "the answer's head does not end")
            count = self.receive_into(buffer[filled:], until_s)
            if count == 0:
                detail = f"{self._target.authority} closed the connection instead of answering"
                raise EngineError(FailureKind.CLOSED_EARLY, detail)
            filled += count
            if not looks_like_http(bytes(buffer[:8])[:filled]):
                raise EngineError(FailureKind.PROTOCOL_ERROR, "the answer is not HTTP; is this a LibreSpeed server?")
        return parse_head(bytes(buffer[:end])), end + len(_HEAD_END), filled

    def counters(self) -> KernelCounters:
        """Return what the kernel knows of the connection now."""
        return read_tcp_info(self._socket)

    @property
    def is_secure(self) -> bool:
        """Whether it is TLS."""
        return isinstance(self._socket, ssl.SSLSocket)

    @property
    def is_ipv6(self) -> bool:
        """Whether it goes over IPv6."""
        return self._socket.family == socket.AF_INET6

    def wake(self) -> None:
        """End the stream both ways, from another thread: whatever waits on it sees its end at once."""
        with suppress(OSError):  # already gone
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def abort(self) -> None:
        """Give the socket back at once: the kernel drops what it holds, so that nothing goes on using the link."""
        with suppress(OSError):  # already gone
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._socket.close()

    def secure(self, context: ssl.SSLContext, until_s: float) -> None:
        """Become the client of a TLS session; raises EngineError of the TLS family, EndedError."""
        session = context.wrap_socket(self._socket, server_hostname=self._target.host, do_handshake_on_connect=False)
        self._socket = session
        while True:
            self._check(until_s, f"{self._target.authority} accepted the connection, but not TLS")
            try:
                return session.do_handshake()
            except TimeoutError:
                continue
            except OSError as error:
                raise tls_failure(self._target.host, error) from None

    def _check(self, until_s: float, trouble: str) -> None:
        if self._over.is_set():
            raise EndedError
        if self._time.monotonic_s() >= until_s:
            raise EngineError(FailureKind.STALLED, trouble)

    def _lost(self, error: OSError) -> Exception:
        if self._over.is_set():
            return EndedError()
        return from_os_error(error, self._target.authority, FailureKind.CONNECTION_RESET)


def connect(
    target: Target,
    addresses: tuple[Address, ...],
    context: ssl.SSLContext | None,
    time: TimeSource,
    over: threading.Event,
    until_s: float,
) -> Connection:
    """Return a connection to the first address that answers; raises EngineError with the last one's trouble.

    An address that stays silent gets an equal share of the time that is left (RFC 8305 in its simple form). Raises
    EndedError soon after `over` is set.
    """
    trouble = EngineError(FailureKind.CONNECT_TIMEOUT, "there was no time left to connect")
    for index, address in enumerate(addresses):
        left_s = (until_s - time.monotonic_s()) / (len(addresses) - index)
        if over.is_set():
            raise EndedError
        if left_s < _FEWEST_S:
            break
        try:
            opened = _open(address, time, over, time.monotonic_s() + left_s)
        except OSError as error:
            trouble = from_os_error(error, target.authority, FailureKind.CONNECT_TIMEOUT)
            continue
        connection = Connection(opened, target, time, over)
        try:
            if context is not None:
                connection.secure(context, until_s)
        except BaseException:
            connection.abort()
            raise
        return connection
    raise trouble


def _open(address: Address, time: TimeSource, over: threading.Event, until_s: float) -> socket.socket:
    """Return a connected socket; raises OSError, EndedError."""
    opened = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        opened.setblocking(False)
        code = opened.connect_ex(address.endpoint)
        _check_connected(_outcome(opened, time, over, until_s) if code in _UNDER_WAY else code)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.settimeout(_LOOK_S)
    except BaseException:
        opened.close()
        raise
    return opened


def _outcome(opened: socket.socket, time: TimeSource, over: threading.Event, until_s: float) -> int:
    """Return the system's code for how connecting ended; raises EndedError."""
    while time.monotonic_s() < until_s:
        # Windows tells a refused connection among the exceptional ones.
        _, ready, failed = select.select([], [opened], [opened], _LOOK_S)
        if over.is_set():
            raise EndedError
        if ready or failed:
            return opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    return errno.ETIMEDOUT


def _check_connected(code: int) -> None:
    if code:
        raise OSError(code, os.strerror(code))
