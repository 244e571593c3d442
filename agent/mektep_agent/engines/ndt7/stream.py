"""One connection's bytes, plain or TLS, that nobody waits for past a moment that was set.

The socket does not block and one thread serves it: it waits for both directions at once, so that a ping is seen while
a large message is still on its way out. Every wait also ends soon after the test was abandoned.
"""

import errno
import selectors
import socket
import ssl
import struct
import sys
import threading
from contextlib import suppress
from typing import Final

import msgspec

from mektep_agent.clock import TimeSource
from mektep_agent.engines.engine import EngineError
from mektep_agent.engines.tcp_info import KernelCounters, read_tcp_info
from mektep_wire import FailureKind

READ: Final = selectors.EVENT_READ
WRITE: Final = selectors.EVENT_WRITE
_LOOK_S: Final = 0.25
_TLS_PIECE_BYTES: Final = 1 << 16
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)
_IP_HEADER_BYTES: Final = {socket.AF_INET: 20, socket.AF_INET6: 40}
_TCP_HEADER_BYTES: Final = 32
_SEGMENT_BYTES: Final = 1448


class StreamLostError(Exception):
    """The connection broke: a reset, a router's word, broken TLS. `kind` is for counting, the message the system's."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        is_silence = error.errno in {errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH}
        self.kind = FailureKind.STALLED if is_silence else FailureKind.CONNECTION_RESET


class LinkBytes(msgspec.Struct, frozen=True):
    """What a connection cost this computer's link, headers and packets without payload included."""

    sent: int
    received: int


class Stream:
    """Owns a connected socket until `close`. Used by one thread."""

    def __init__(self, connection: socket.socket, time: TimeSource, abandoned: threading.Event) -> None:
        connection.setblocking(False)
        self.sent_bytes = 0
        self.received_bytes = 0
        self._socket = connection
        self._time = time
        self._abandoned = abandoned
        self._selector = selectors.DefaultSelector()
        self._watched = READ
        self._selector.register(connection, READ)

    @property
    def socket(self) -> socket.socket:
        """The socket, for its options."""
        return self._socket

    @property
    def can_discard(self) -> bool:
        """Whether the system can take in bytes without handing them over."""
        return sys.platform == "linux" and not self.is_secure

    @property
    def is_secure(self) -> bool:
        """Whether it is TLS."""
        return isinstance(self._socket, ssl.SSLSocket)

    def handshake_tls(self, context: ssl.SSLContext, host: str, until_s: float) -> bool:
        """Become the client of a TLS session; return False where `until_s` came first. Raises OSError."""
        self._selector.unregister(self._socket)
        session = context.wrap_socket(self._socket, server_hostname=host, do_handshake_on_connect=False)
        self._socket = session
        self._selector.register(session, self._watched)
        while self._time.monotonic_s() < until_s:
            try:
                session.do_handshake()
            except ssl.SSLWantReadError:
                self.wait(READ, until_s)
            except ssl.SSLWantWriteError:
                self.wait(WRITE, until_s)
            else:
                return True
        return False

    def receive_into(self, buffer: memoryview) -> int | None:
        """Return how many bytes were there, None if there are none now, 0 at the end; raises StreamLostError."""
        return self._receive(buffer, 0)

    def _receive(self, buffer: memoryview, flags: int) -> int | None:
        try:
            count = self._socket.recv_into(buffer, 0, flags)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except ssl.SSLEOFError:
            return 0
        except OSError as error:
            raise StreamLostError(error) from error
        self.received_bytes += count
        return count

    def send(self, data: memoryview) -> int:
        """Return how many bytes the system took, 0 if it takes none now; raises StreamLostError.

        After 0 the same bytes must be offered again before any other.
        """
        try:
            # TLS takes a piece as a whole or not at all, so that what it took is known.
            taken = self._socket.send(data[:_TLS_PIECE_BYTES] if self.is_secure else data)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return 0
        except OSError as error:
            raise StreamLostError(error) from error
        self.sent_bytes += taken
        return taken

    def wait(self, events: int, until_s: float) -> int:
        """Return which of `events` have come, or 0 at `until_s`; raises EngineError (INTERRUPTED) when abandoned."""
        if isinstance(self._socket, ssl.SSLSocket) and events & READ and self._socket.pending():
            return READ
        if events != self._watched:
            self._selector.modify(self._socket, events)
            self._watched = events
        while True:
            self.check_abandoned()
            left_s = until_s - self._time.monotonic_s()
            for _, came in self._selector.select(min(max(0.0, left_s), _LOOK_S)):
                return came
            if left_s <= _LOOK_S:
                return 0

    def check_abandoned(self) -> None:
        """Return if the test is still wanted; raises EngineError (INTERRUPTED) else."""
        if self._abandoned.is_set():
            raise EngineError(FailureKind.INTERRUPTED, "the test was abandoned")

    def discard(self, scratch: memoryview) -> int | None:
        """Take in as many bytes as `scratch` has at most, without their content; return as `receive_into`.

        Where the kernel can, it drops them (Linux, tcp(7): MSG_TRUNC), and `scratch` is never touched: the processor
        is spared the copy, which is most of what a fast download costs.
        """
        if not self.can_discard:
            return self.receive_into(scratch)
        return self._receive(scratch, socket.MSG_TRUNC)

    def let_gather(self, low_water_bytes: int) -> None:
        """Have `wait` see what came only once it is so many bytes, or the end, or all that the window holds.

        A wake-up costs more processor time than the bytes that it fetches. Linux (socket(7): SO_RCVLOWAT) goes on
        acknowledging at once below the mark, so the sender does not notice; a pause of our own instead cost 12 % of the
        throughput at 300 Mbit/s and 60 ms. Elsewhere this does nothing.
        """
        if sys.platform == "linux":
            with suppress(OSError):  # a connection that is gone shows it when it is used
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, low_water_bytes)

    def counters(self) -> KernelCounters:
        """Return what the kernel knows of the connection now."""
        return read_tcp_info(self._socket)

    def link_bytes(self) -> LinkBytes:
        """Return what the connection has cost the link: from the kernel's own counts of bytes and packets.

        Where the kernel does not tell, packets are taken to be full and every second one acknowledged; retransmissions
        are not seen then.
        """
        header_bytes = _IP_HEADER_BYTES.get(self._socket.family, 40) + _TCP_HEADER_BYTES
        kernel = self.counters()
        if kernel.bytes_received is None or kernel.segments_received is None or kernel.segments_sent is None:
            out_segments, in_segments = self.sent_bytes / _SEGMENT_BYTES, self.received_bytes / _SEGMENT_BYTES
            sent = self.sent_bytes + header_bytes * (out_segments + in_segments / 2)
            received = self.received_bytes + header_bytes * (in_segments + out_segments / 2)
            return LinkBytes(int(sent), int(received))
        payload_sent = kernel.bytes_sent if kernel.bytes_sent is not None else self.sent_bytes
        return LinkBytes(
            payload_sent + header_bytes * kernel.segments_sent,
            kernel.bytes_received + header_bytes * kernel.segments_received,
        )

    def close(self) -> None:
        """Give the socket back; what the kernel still holds is delivered."""
        self._selector.close()
        self._socket.close()

    def abort(self) -> None:
        """Give the socket back at once: the kernel drops what it holds, so that nothing goes on using the link."""
        with suppress(OSError):  # already gone
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.close()
