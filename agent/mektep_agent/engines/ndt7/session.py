"""What both directions of a test share: its clock, the server's words, control frames, and its ending.

A session belongs to one thread. Whatever the server does, it is over `KILL_S` after it began.
"""

import os
from enum import Enum, auto
from typing import Final

from mektep_agent.clock import TimeSource
from mektep_agent.engines.engine import EngineError, Limits
from mektep_agent.engines.ndt7.frame import (
    MASK_BYTES,
    NORMAL_CLOSURE,
    FrameError,
    FrameReader,
    Message,
    Opcode,
    encode_frame,
)
from mektep_agent.engines.ndt7.ledger import UploadLedger
from mektep_agent.engines.ndt7.measurement import MeasurementError, encode_measurement, parse_report
from mektep_agent.engines.ndt7.specification import KILL_S, MEASUREMENT_INTERVAL_S
from mektep_agent.engines.ndt7.stream import READ, WRITE, Stream, StreamLostError
from mektep_agent.sample import TcpCounters
from mektep_wire import Direction, FailureKind, StopReason

LEAST_LOOK_S: Final = 0.05
MOST_LOOK_S: Final = 0.2
_LOOKS: Final = 40
_EARLY_RATIO: Final = 0.15
CLOSING_TIMEOUT_S: Final = 3.0
_RECEIVE_BUFFER_BYTES: Final = 1 << 20
_DISCARD_BYTES: Final = 1 << 16
_MAX_PENDING_BYTES: Final = 1 << 15
_MAX_SHOWN_LETTERS: Final = 80
_DRAIN_BYTES: Final = 1 << 18
_DRAIN_FRACTION: Final = 8
_SILENCE_S: Final = 1.0
_FAREWELL_LOOK_S: Final = 0.05


class Server(Enum):
    """Where the server stands."""

    OPEN = auto()
    CLOSED = auto()
    """It sent a closing frame."""
    GONE = auto()
    """It ended TCP without a closing frame."""
    LOST = auto()
    """The connection broke."""
    SILENT = auto()
    """Nothing has moved for so long that the connection counts as lost."""


class Session:
    """One running test, from the end of the WebSocket handshake. Raises EngineError where it breaks the rules."""

    def __init__(
        self, stream: Stream, direction: Direction, limits: Limits, time: TimeSource, requested_s: float
    ) -> None:
        self.stream = stream
        self.server = Server.OPEN
        self.trouble = ""
        self.lost_kind = FailureKind.CONNECTION_RESET
        self.reader = FrameReader()
        self.ledger = UploadLedger(is_secure=stream.is_secure)
        self.server_tcp = TcpCounters()
        self.is_drained = True
        self._buffer = memoryview(bytearray(_RECEIVE_BUFFER_BYTES))
        self.is_closed_properly = False
        self.sent_payload_bytes = 0
        self._direction = direction
        self.limits = limits
        self._time = time
        self._requested_s = requested_s
        self._pending = bytearray()
        self._close_code = NORMAL_CLOSURE.to_bytes(2, "big")
        self.began_s = time.monotonic_s()
        self.moved_s = self.began_s
        self.next_look_s = self.began_s + LEAST_LOOK_S
        self._next_measurement_s = self.began_s + MEASUREMENT_INTERVAL_S

    def now_s(self) -> float:
        """Return the monotonic clock."""
        return self._time.monotonic_s()

    @property
    def end_s(self) -> float:
        """When the test's time is over, on the monotonic clock."""
        return self.began_s + self.limits.max_duration_s

    def is_look_due(self, now_s: float) -> bool:
        """Return whether it is time to look at how far the test is, and do what is due then.

        A test is looked at every 50 ms at first and at every fortieth of its time later, every 200 ms at most: a look
        costs the processor more than the bytes that came between two. Where a wake-up comes shortly before, it is the
        look: two at nearly the same time would tell no more.

        A connection on which nothing moved for the stall timeout is lost from here on.
        """
        interval_s = min(max(LEAST_LOOK_S, (now_s - self.began_s) / _LOOKS), MOST_LOOK_S)
        if now_s < self.next_look_s - _EARLY_RATIO * interval_s:
            return False
        self.stream.check_abandoned()
        self.next_look_s = max(min(self.next_look_s, now_s) + interval_s, now_s)
        if now_s - self.moved_s >= self.limits.stall_timeout_s and self.server is Server.OPEN:
            self.server = Server.SILENT
        if now_s >= self._next_measurement_s:
            self._next_measurement_s = now_s + MEASUREMENT_INTERVAL_S
            counted = self.reader.data_bytes if self._direction is Direction.DOWNLOAD else self.sent_payload_bytes
            self._answer(Opcode.TEXT, encode_measurement(self._direction, now_s - self.began_s, counted))
        return True

    def end_reached(self, now_s: float) -> StopReason | None:
        """Return FULL_LENGTH when the test's time is over, else None."""
        return StopReason.FULL_LENGTH if now_s >= self.end_s else None

    def cap_reached(self, link_bytes: int) -> StopReason | None:
        """Return BYTE_CAP when so many bytes are all that the test may use, else None."""
        is_reached = self.limits.max_bytes is not None and link_bytes >= self.limits.max_bytes
        return StopReason.BYTE_CAP if is_reached else None

    @property
    def has_pending(self) -> bool:
        """Whether text or control frames are due."""
        return bool(self._pending)

    def take_pending(self) -> memoryview:
        """Return the text and control frames that are due; they are the caller's to send whole."""
        pending = bytes(self._pending)
        self._pending.clear()
        return memoryview(pending)

    def send_pending(self) -> None:
        """Send as much of what is due as the system takes now."""
        with memoryview(self._pending) as due:
            taken = self.send(due)
        del self._pending[:taken]

    def send(self, data: memoryview) -> int:
        """Return as `Stream.send`; a connection that breaks is seen in `server`."""
        try:
            taken = self.stream.send(data)
        except StreamLostError as error:
            self._lose(error)
            return 0
        if taken and self._direction is Direction.UPLOAD:
            self.moved_s = self.now_s()
        return taken

    def receive(self) -> int | None:
        """Read what is there now and take it in; return as `Stream.receive_into`, and 0 for a broken connection.

        Then `is_drained` says whether that was all there was.
        """
        load_bytes = min(self.reader.load_left_bytes, len(self._buffer))
        is_load = load_bytes >= _DISCARD_BYTES
        if is_load:
            into = self._buffer[:load_bytes]
        else:
            # What follows the frame is cheaper to discard than to copy, once its head is read.
            into = self._buffer[:_DISCARD_BYTES] if self.stream.can_discard else self._buffer
        try:
            count = self.stream.discard(into) if is_load else self.stream.receive_into(into)
        except StreamLostError as error:
            self._lose(error)
            return 0
        # TLS hands out a record at a time, so a short read says nothing there.
        self.is_drained = count is None or (count < len(into) and not self.stream.is_secure)
        if count == 0:
            if self.server is Server.OPEN:
                self.server = Server.GONE
        elif count:
            self.moved_s = self.now_s()
            if is_load:
                self.reader.skip_load(count)
            else:
                self.take(into[:count])
        return count

    def last_arrival_s(self) -> float:
        """Return when the last bytes came: to the millisecond where the kernel tells, else when they were read."""
        since_ms = self.stream.counters().since_received_ms
        arrived_s = self.moved_s if since_ms is None else self.now_s() - since_ms / 1e3
        return min(max(arrived_s, self.moved_s - MOST_LOOK_S), self.moved_s)

    def take(self, data: memoryview) -> None:
        """Take in bytes that came from the server; raises EngineError (PROTOCOL_ERROR)."""
        try:
            messages = self.reader.feed(data)
        except FrameError as error:
            raise EngineError(FailureKind.PROTOCOL_ERROR, f"the server broke the protocol: {error}") from None
        if self._direction is Direction.UPLOAD and self.reader.binary_bytes:
            raise EngineError(FailureKind.PROTOCOL_ERROR, "the server sent load in an upload, where only we may")
        for message in messages:
            self._take_message(message)

    def finish(self, unfinished: memoryview) -> None:
        """Close: the rest of a frame that has begun to go out, our closing frame, the server's, then TCP, it first.

        It takes `CLOSING_TIMEOUT_S` at most. A server that goes on sending is not listened to beyond an eighth of what
        it had sent: the link is the school's. Afterwards `server` says whether a silent connection came to life.
        """
        if self.server in {Server.GONE, Server.LOST, Server.SILENT}:
            return
        stopped_s = self.now_s()
        was_silent = stopped_s - self.moved_s >= _SILENCE_S
        heard_bytes = self.stream.received_bytes
        most_bytes = heard_bytes + max(_DRAIN_BYTES, heard_bytes // _DRAIN_FRACTION)
        until_s = min(stopped_s + CLOSING_TIMEOUT_S, self.began_s + KILL_S)
        rest = unfinished
        is_farewell_said = False
        while self.now_s() < until_s and self.stream.received_bytes <= most_bytes:
            if not rest and not is_farewell_said:
                rest = memoryview(bytes(self.take_pending()) + self._encode(Opcode.CLOSE, self._close_code))
                is_farewell_said = True
            rest = rest[self.send(rest) :] if rest else rest
            count = self.receive()
            if count == 0:
                self.is_closed_properly = is_farewell_said and not rest and self.server is Server.CLOSED
                break
            if count is None and (rest or is_farewell_said):
                # What is let gather may hold the farewell; looking now and then is cheaper than at each packet.
                now_s = self.now_s()
                next_s = now_s + max(_FAREWELL_LOOK_S, (now_s - stopped_s) / 2)
                self.stream.wait(READ | WRITE if rest else READ, min(until_s, next_s))
        if was_silent and self.stream.received_bytes == heard_bytes:
            self.server = Server.SILENT

    def _take_message(self, message: Message) -> None:
        if message.opcode is Opcode.PING:
            self._answer(Opcode.PONG, message.payload)
        elif message.opcode is Opcode.CLOSE:
            self._take_close(message.payload)
        elif message.opcode is Opcode.TEXT:
            self._take_text(message.payload)

    def _take_close(self, payload: bytes) -> None:
        if self.server is Server.CLOSED:
            return
        self.server = Server.CLOSED
        self._close_code = payload[:2]
        if len(payload) >= 2:
            said = payload[2:].decode("utf-8", "replace")[:_MAX_SHOWN_LETTERS]
            shown = "".join(sign if sign.isprintable() else "?" for sign in said)
            self.trouble = f"closing code {int.from_bytes(payload[:2], 'big')} {shown}".rstrip()

    def _take_text(self, payload: bytes) -> None:
        try:
            report = parse_report(payload)
        except MeasurementError as error:
            raise EngineError(FailureKind.PROTOCOL_ERROR, f"the server broke the protocol: {error}") from None
        if report.tcp != TcpCounters():
            self.server_tcp = report.tcp
        if self._direction is Direction.UPLOAD:
            now_s = self.now_s()
            self.ledger.take(
                report,
                elapsed_s=now_s - self.began_s,
                since_request_s=now_s - self._requested_s,
                sent_bytes=self.stream.sent_bytes,
            )

    def _answer(self, opcode: Opcode, payload: bytes) -> None:
        # A server that does not read gets no more answers: nothing piles up here for it.
        if len(self._pending) < _MAX_PENDING_BYTES:
            self._pending += self._encode(opcode, payload)

    def _encode(self, opcode: Opcode, payload: bytes) -> bytes:
        return encode_frame(opcode, payload, os.urandom(MASK_BYTES))

    def _lose(self, error: StreamLostError) -> None:
        if self.server in {Server.OPEN, Server.SILENT}:
            self.server = Server.LOST
            self.lost_kind = error.kind
            self.trouble = str(error)
