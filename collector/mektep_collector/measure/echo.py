"""The UDP echo: sends a probe of ours back, unchanged, from the address that it came to, and drops all else."""

import asyncio
import socket
import sys
from collections.abc import Sequence
from typing import Any

from mektep_collector.clock import TimeSource
from mektep_collector.measure.counts import Counts, Echo
from mektep_collector.measure.rate_limit import SourceLimit
from mektep_wire.echo import ECHO_MAGIC, ECHO_MAX_BYTES, ECHO_MIN_BYTES

_AT_ONCE_COUNT = 64
_ANCILLARY_BYTES = 128
_IP_PKTINFO = 8  # Linux; not in Python's socket module before 3.14
_KEPT = {(socket.IPPROTO_IP, _IP_PKTINFO), (socket.IPPROTO_IPV6, getattr(socket, "IPV6_PKTINFO", -1))}
_RECEIVE_SPACE_BYTES = 1 << 20

Ancillary = list[tuple[int, int, bytes]]


def is_probe(datagram: bytes) -> bool:
    """Say whether a datagram is a probe of ours (`mektep_wire.echo`)."""
    return ECHO_MIN_BYTES <= len(datagram) <= ECHO_MAX_BYTES and datagram.startswith(ECHO_MAGIC)


class EchoServer:
    """Answers on sockets of its own; it is started on an event loop and stopped there."""

    def __init__(self, sockets: Sequence[socket.socket], limit: SourceLimit, counts: Counts, time: TimeSource) -> None:
        self._sockets = tuple(sockets)
        self._limit = limit
        self._counts = counts
        self._time = time

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to answer."""
        for opened in self._sockets:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_SPACE_BYTES)
            if sys.platform == "linux":
                if opened.family == socket.AF_INET6:
                    opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
                else:
                    opened.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
            loop.add_reader(opened, self._answer, opened)

    def stop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Answer no more; the sockets stay the caller's to close."""
        for opened in self._sockets:
            loop.remove_reader(opened)

    def _answer(self, opened: socket.socket) -> None:
        for _ in range(_AT_ONCE_COUNT):
            try:
                datagram, ancillary, _, source = opened.recvmsg(ECHO_MAX_BYTES + 1, _ANCILLARY_BYTES)
            except BlockingIOError:
                return
            except ConnectionError:
                continue  # an earlier answer came back as unreachable: that source is gone, others are not
            self._counts.echo(self._echo(opened, datagram, ancillary, source))

    def _echo(self, opened: socket.socket, datagram: bytes, ancillary: Ancillary, source: Any) -> Echo:  # noqa: ANN401 (a socket address has its family's form)
        if not is_probe(datagram):
            return Echo.FOREIGN
        if not self._limit.admits(source[0], self._time.monotonic_s()):
            return Echo.LIMITED
        # The packet's own destination goes back as the answer's source: a server with several addresses must answer
        # from the one that was asked.
        kept = [(level, kind, data) for level, kind, data in ancillary if (level, kind) in _KEPT]
        try:
            opened.sendmsg([datagram], kept, 0, source)
        except OSError:
            return Echo.NOT_SENT
        return Echo.ECHOED
