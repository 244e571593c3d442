"""What really travelled: speedtest-cli's connections, watched from beside.

speedtest-cli counts an upload when it hands bytes to the system; on a slow link they then lie in buffers for seconds,
and it reports up to a fifth too much. Here an upload's bytes count when the server's kernel has acknowledged them, or,
where this system does not tell, when the server has answered.
"""

import socket
import ssl
import threading
from http.client import HTTPConnection
from typing import Any, Final

from mektep_agent.engines.tcp_info import KernelCounters, read_tcp_info

_TLS_RECORD_BYTES: Final = 1 << 14
_TLS_OVERHEAD_BYTES: Final = 22
_HEADER_BYTES: Final = 52
_METHODS: Final = (b"GET ", b"POST ")


class Watch:
    """All connections of the process, those that have ended too. Safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accounts: list[_Account] = []
        self._open: dict[HTTPConnection, _Account] = {}
        self.can_tell = True
        """Whether the kernel has told of every connection so far."""

    def opened(self, connection: HTTPConnection) -> None:
        """Begin to watch a connection that stands."""
        begun = read_tcp_info(connection.sock)
        account = _Account(connection.sock, begun.bytes_acked or 0)
        with self._lock:
            self.can_tell = self.can_tell and begun.bytes_acked is not None
            self._accounts.append(account)
            self._open[connection] = account

    def wrote_head(self, connection: HTTPConnection, size_bytes: int) -> None:
        """Note bytes that are no payload."""
        with self._lock:
            if connection in self._open:
                self._open[connection].head_bytes += size_bytes

    def closing(self, connection: HTTPConnection) -> None:
        """Take down a connection's figures before its socket is closed; its body may still be read."""
        with self._lock:
            account = self._open.pop(connection, None)
            if account is not None:
                account.look()

    def acked_bytes(self) -> int:
        """Return the payload that has been acknowledged in all."""
        with self._lock:
            return sum(account.acked_bytes() for account in self._accounts)

    def link_bytes(self) -> tuple[int, int] | None:
        """Return what was sent and received in all, headers of packets too; None where the kernel does not tell."""
        if not self.can_tell:
            return None
        with self._lock:
            kernels = [account.look() for account in self._accounts]
        return (
            sum(_cost(one.bytes_sent, one.segments_sent) for one in kernels),
            sum(_cost(one.bytes_received, one.segments_received) for one in kernels),
        )


class _Account:
    def __init__(self, connection: socket.socket, begun_acked_bytes: int) -> None:
        self._socket = connection
        self._begun_acked_bytes = begun_acked_bytes
        self._last = KernelCounters()
        self.head_bytes = 0

    def look(self) -> KernelCounters:
        """Return the kernel's word, the last one where the socket has been closed meanwhile."""
        if self._socket.fileno() >= 0:
            self._last = read_tcp_info(self._socket)
        return self._last

    def acked_bytes(self) -> int:
        """Return the payload that has been acknowledged on this connection."""
        acked_bytes = max(0, (self.look().bytes_acked or 0) - self._begun_acked_bytes)
        if isinstance(self._socket, ssl.SSLSocket):
            acked_bytes = acked_bytes * _TLS_RECORD_BYTES // (_TLS_RECORD_BYTES + _TLS_OVERHEAD_BYTES)
        return max(0, acked_bytes - self.head_bytes)


def watched(kind: type[HTTPConnection], watch: Watch) -> type[HTTPConnection]:
    """Return `kind`, one of speedtest-cli's classes of connections, with every connection watched."""

    class Watched(kind):  # type: ignore[valid-type, misc]
        def connect(self) -> None:
            super().connect()
            watch.opened(self)

        def send(self, data: Any) -> None:  # noqa: ANN401 (http.client takes many things)
            super().send(data)
            # http.client sends a request's head in one piece, and its body in others.
            if isinstance(data, bytes) and data.startswith(_METHODS):
                watch.wrote_head(self, len(data))

        def close(self) -> None:
            watch.closing(self)
            super().close()

    return Watched


def _cost(payload_bytes: int | None, segments_count: int | None) -> int:
    return (payload_bytes or 0) + _HEADER_BYTES * (segments_count or 0)
