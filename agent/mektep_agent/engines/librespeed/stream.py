"""One of the connections that load the link together, each in a thread of its own.

A stream only writes its own counters; who watches it only reads them.
"""

import ssl
import threading
from collections.abc import Callable
from typing import Final

import msgspec

from mektep_agent.clock import TimeSource
from mektep_agent.engines.engine import EngineError, Limits
from mektep_agent.engines.librespeed.answer import Body, Head, check_head
from mektep_agent.engines.librespeed.connection import Connection, EndedError
from mektep_agent.engines.librespeed.target import Target
from mektep_wire import VERSION, Direction, FailureKind

PIECE_BYTES: Final = 1 << 20
"""`ckSize` counts in these, and an upload sends one random block of this size again and again."""
_PIECES: Final = 1_024
_BUFFER_BYTES: Final = 1 << 18
_FIRST_POST_BYTES: Final = 1 << 16
_LARGEST_POST_BYTES: Final = 16_000_000
_POST_GROWTH: Final = 4
_POST_S: Final = 2.0
_IP_HEADER_BYTES: Final = 20
_IPV6_HEADER_BYTES: Final = 40
_TCP_HEADER_BYTES: Final = 32
_SEGMENT_BYTES: Final = 1_448
_TLS_RECORD_BYTES: Final = 1 << 14
_TLS_OVERHEAD_BYTES: Final = 22


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """What a stream's connections that have ended cost the link, and what their kernel counted."""

    sent_bytes: int = 0
    received_bytes: int = 0
    arrived_bytes: int = 0
    acked_bytes: int = 0
    kernel_sent_bytes: int = 0
    retransmitted_bytes: int = 0
    min_rtt_us: int | None = None


class Stream:
    """One stream of a test. `open` says how to connect; `over` ends it soon; `went` is when the bytes may begin."""

    def __init__(
        self,
        target: Target,
        direction: Direction,
        limits: Limits,
        time: TimeSource,
        over: threading.Event,
        went: threading.Event,
        opening: Callable[[float], Connection],
        block: memoryview,
    ) -> None:
        self.payload_bytes = 0
        """Downloaded, or answered for by the server."""
        self.moved_s = 0.0
        """When the last bytes moved, on the clock of `time`."""
        self.is_ready = threading.Event()
        """Set when it is connected, or has failed."""
        self.error: EngineError | None = None
        self.defect: BaseException | None = None
        self.spent = Spent()
        self._target = target
        self._direction = direction
        self._limits = limits
        self._time = time
        self._over = over
        self._went = went
        self._opening = opening
        self._block = block
        self._connection: Connection | None = None
        self._opened_acked_bytes = 0
        self._head_bytes = 0
        self._wire_sent_bytes = 0
        self._wire_received_bytes = 0

    def run(self) -> None:
        """Connect, wait for the start, move bytes until the end. What went wrong stands in `error` afterwards."""
        try:
            self._connect()
            self.is_ready.set()
            self._went.wait()
            self.moved_s = self._time.monotonic_s()
            if self._direction is Direction.DOWNLOAD:
                self._download()
            else:
                self._upload()
        except EndedError:
            pass  # it was told to
        except EngineError as error:
            self.error = error
        except ssl.SSLError as error:
            self.error = EngineError(FailureKind.TLS_ERROR, str(error))
        except BaseException as error:  # noqa: BLE001 (handed to the thread that watches)
            self.defect = error
        finally:
            self._disconnect()
            self.is_ready.set()

    def wake(self) -> None:
        """Have whatever it waits for end now; called from the watching thread after `over` is set."""
        connection = self._connection
        if connection is not None:
            connection.wake()

    def arrived_bytes(self) -> int | None:
        """Return the payload of an upload that the server's kernel has acknowledged; None where ours does not tell."""
        spent, connection = self.spent, self._connection
        if connection is None:
            return spent.arrived_bytes
        current = self._arrived(connection)
        return None if current is None else spent.arrived_bytes + current

    def link_bytes(self) -> int:
        """Return about how many bytes it has cost the link so far, in the direction that it loads."""
        if self._direction is Direction.DOWNLOAD:
            return self.spent.received_bytes + self._wire_received_bytes
        return self.spent.sent_bytes + self._wire_sent_bytes

    def _connect(self) -> None:
        until_s = self._time.monotonic_s() + self._limits.connect_timeout_s
        self._connection = connection = self._opening(until_s)
        self._opened_acked_bytes = connection.counters().bytes_acked or 0
        self._head_bytes = self._wire_sent_bytes = self._wire_received_bytes = 0

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        kernel = connection.counters()
        header_bytes = _TCP_HEADER_BYTES + (_IPV6_HEADER_BYTES if connection.is_ipv6 else _IP_HEADER_BYTES)
        out_packets = kernel.segments_sent or self._wire_sent_bytes // _SEGMENT_BYTES + 3
        in_packets = kernel.segments_received or self._wire_received_bytes // _SEGMENT_BYTES + 3
        sent_bytes = kernel.bytes_sent if kernel.bytes_sent is not None else self._wire_sent_bytes
        received_bytes = kernel.bytes_received if kernel.bytes_received is not None else self._wire_received_bytes
        spent = self.spent
        rtts_us = [rtt_us for rtt_us in (spent.min_rtt_us, kernel.min_rtt_us) if rtt_us is not None]
        self.spent = Spent(
            sent_bytes=spent.sent_bytes + sent_bytes + header_bytes * out_packets,
            received_bytes=spent.received_bytes + received_bytes + header_bytes * in_packets,
            arrived_bytes=spent.arrived_bytes + (self._arrived(connection) or 0),
            acked_bytes=spent.acked_bytes + (kernel.bytes_acked or 0),
            kernel_sent_bytes=spent.kernel_sent_bytes + (kernel.bytes_sent or 0),
            retransmitted_bytes=spent.retransmitted_bytes + (kernel.bytes_retransmitted or 0),
            min_rtt_us=min(rtts_us, default=None),
        )
        self._head_bytes = self._wire_sent_bytes = self._wire_received_bytes = 0
        connection.abort()

    def _arrived(self, connection: Connection) -> int | None:
        acknowledged = connection.counters().bytes_acked
        if acknowledged is None:
            return None
        payload_bytes = max(0, acknowledged - self._opened_acked_bytes)
        if connection.is_secure:
            payload_bytes = payload_bytes * _TLS_RECORD_BYTES // (_TLS_RECORD_BYTES + _TLS_OVERHEAD_BYTES)
        return max(0, payload_bytes - self._head_bytes)

    def _until_s(self) -> float:
        return self._time.monotonic_s() + self._limits.stall_timeout_s

    def _ask(self, words: str, *lines: str) -> None:
        head = "\r\n".join(
            (
                f"{words} HTTP/1.1",
                f"Host: {self._target.authority}",
                f"User-Agent: mektep-agent/{VERSION}",
                "Accept-Encoding: identity",
                "Cache-Control: no-store",
                *lines,
            )
        )
        raw = head.encode("ascii") + b"\r\n\r\n"
        self._head_bytes += len(raw)
        self._wire_sent_bytes += len(raw)
        self._open().send_all(raw, self._until_s())

    def _open(self) -> Connection:
        if self._connection is None:
            self._connect()
        assert self._connection is not None  # noqa: S101 (just made)
        return self._connection

    def _download(self) -> None:
        buffer = memoryview(bytearray(_BUFFER_BYTES))
        while True:
            connection = self._open()
            self._ask(f"GET {self._target.folder}garbage.php?ckSize={_PIECES}")
            head, begin, end = connection.receive_head(buffer, self._until_s())
            self._wire_received_bytes += end
            check_head(head, self._target)
            body = Body(head)
            fresh = buffer[begin:end]
            before_bytes = self.payload_bytes
            while True:
                body.feed(fresh)
                self.payload_bytes = before_bytes + body.payload_bytes
                self.moved_s = self._time.monotonic_s()
                if body.is_done:
                    break
                count = connection.receive_into(buffer, self._until_s())
                if count == 0:
                    if self._over.is_set():
                        raise EndedError
                    if not body.ends_with_connection:
                        raise EngineError(FailureKind.CLOSED_EARLY, "the server closed the connection in mid-test")
                    break
                self._wire_received_bytes += count
                fresh = buffer[:count]
            self._check_progress(body.payload_bytes)
            self._go_on(head)

    def _check_progress(self, body_bytes: int) -> None:
        """A server whose answers are empty would be asked for ever."""
        if body_bytes < _FIRST_POST_BYTES:
            raise EngineError(FailureKind.PROTOCOL_ERROR, f"an answer to garbage.php has {body_bytes} bytes only")

    def _upload(self) -> None:
        buffer = memoryview(bytearray(_BUFFER_BYTES))
        post_bytes = _FIRST_POST_BYTES
        while True:
            connection = self._open()
            began_s = self._time.monotonic_s()
            self._ask(
                f"POST {self._target.folder}empty.php",
                "Content-Type: application/octet-stream",
                f"Content-Length: {post_bytes}",
            )
            left = post_bytes
            while left:
                taken = connection.send(self._block[: min(left, PIECE_BYTES)], self._until_s())
                left -= taken
                self._wire_sent_bytes += taken
                self.moved_s = self._time.monotonic_s()
            head, begin, end = connection.receive_head(buffer, self._until_s())
            check_head(head, self._target)
            body = Body(head)
            body.feed(buffer[begin:end])
            self._wire_received_bytes += end
            while not body.is_done and not body.ends_with_connection:
                count = connection.receive_into(buffer, self._until_s())
                if count == 0:
                    break
                body.feed(buffer[:count])
            self.payload_bytes += post_bytes
            self.moved_s = self._time.monotonic_s()
            wanted = post_bytes * _POST_S / max(self.moved_s - began_s, 1e-3)
            post_bytes = int(min(max(wanted, _FIRST_POST_BYTES), post_bytes * _POST_GROWTH, _LARGEST_POST_BYTES))
            self._go_on(head)

    def _go_on(self, head: Head) -> None:
        if self._over.is_set():
            raise EndedError
        if not head.stays:
            self._disconnect()
