"""What both directions of a test share: its clock, its measurements, its control frames and its ending.

A session belongs to one thread. Whatever the client does, it is over `max_runtime_s` after it began.
"""

import random
from enum import Enum, auto

import msgspec

from mektep_collector.clock import TimeSource
from mektep_collector.measure.channel import Channel, ChannelError
from mektep_collector.measure.frame import CloseCode, FrameError, FrameReader, Opcode, encode_close, encode_frame
from mektep_collector.measure.measurement import ConnectionInfo, Measurement, measure
from mektep_collector.measure.outcome import Outcome
from mektep_collector.measure.specification import (
    LARGEST_RECEIVED_MESSAGE_BYTES,
    TICK_MAX_S,
    TICK_MEAN_S,
    TICK_MIN_S,
    Timing,
)
from mektep_wire import Direction

RECEIVE_BUFFER_BYTES = 1 << 17
_MAX_PENDING_BYTES = 1 << 15
_NOTHING = memoryview(b"")


class Client(Enum):
    """Where the client stands."""

    OPEN = auto()
    CLOSED = auto()
    """It sent a closing frame."""
    BROKEN = auto()
    """It broke the protocol; nothing that it sends means anything any more."""
    GONE = auto()
    """Its side of the connection ended without a closing frame."""


class Session:
    """One running test, from the end of the WebSocket handshake. Raises ChannelError when the connection breaks."""

    def __init__(
        self,
        channel: Channel,
        facts: ConnectionInfo,
        direction: Direction,
        timing: Timing,
        time: TimeSource,
        chance: random.Random,
    ) -> None:
        self.channel = channel
        self.client = Client.OPEN
        self.payload_bytes = 0
        self._facts = facts
        self._direction = direction
        self._timing = timing
        self._time = time
        self._chance = chance
        self._began_s = time.monotonic_s()
        self.end_s = self._began_s + timing.runtime_s
        self.cut_off_s = self._began_s + timing.max_runtime_s
        self.next_tick_s = self._began_s + self._until_tick_s()
        self._reader = FrameReader(LARGEST_RECEIVED_MESSAGE_BYTES)
        self._buffer = memoryview(bytearray(RECEIVE_BUFFER_BYTES))
        self._pending = bytearray()
        self._farewell = encode_close(CloseCode.NORMAL)

    def now_s(self) -> float:
        """Return the monotonic clock."""
        return self._time.monotonic_s()

    def tick(self) -> Measurement:
        """Make a measurement and a ping due, set the next tick, and return the measurement.

        A client that leaves its answers unread gets no more of them: nothing piles up here for it.
        """
        self.next_tick_s = self.now_s() + self._until_tick_s()
        measurement = self._measure()
        elapsed = measurement.app.elapsed_us.to_bytes(8, "big")
        self._answer(encode_frame(Opcode.TEXT, msgspec.json.encode(measurement)) + encode_frame(Opcode.PING, elapsed))
        return measurement

    def bytes_in(self, duration_s: float, least: int, most: int) -> int:
        """Return how many bytes of load this test moves in `duration_s` at its rate so far, within bounds."""
        rate_bytes_per_s = self.payload_bytes / max(self.now_s() - self._began_s, 1e-3)
        return min(max(round(rate_bytes_per_s * duration_s), least), most)

    @property
    def has_pending(self) -> bool:
        """Whether text or control frames are due."""
        return bool(self._pending)

    def take_pending(self) -> bytes:
        """Return the text and control frames that are due; they are the caller's to send whole."""
        pending = bytes(self._pending)
        self._pending.clear()
        return pending

    def send_pending(self) -> None:
        """Send as much of what is due as the kernel takes now."""
        with memoryview(self._pending) as due:
            sent = self.channel.send(due)
        del self._pending[:sent]

    def receive(self) -> int | None:
        """Read what is there now and take it in; return as `Channel.receive_into`."""
        count = self.channel.receive_into(self._buffer)
        if count == 0:
            self.client = Client.GONE
        elif count:
            self.take(self._buffer[:count])
        return count

    def take(self, data: memoryview) -> None:
        """Count bytes that came from the client, and make the answers to its control frames due."""
        try:
            controls = self._reader.feed(data)
        except FrameError as error:
            self._break_off(error.code, error.detail)
            return
        if self._direction is Direction.UPLOAD:
            self.payload_bytes = self._reader.binary_bytes
        elif self._reader.binary_bytes:
            self._break_off(CloseCode.UNSUPPORTED_DATA, "in a download only the server sends binary messages")
            return
        for control in controls:
            if control.opcode is Opcode.PING:
                self._answer(encode_frame(Opcode.PONG, control.payload))
            elif control.opcode is Opcode.CLOSE:
                self.client = Client.CLOSED
                self._farewell = encode_frame(Opcode.CLOSE, control.payload[:2])
                break

    def finish(self, outcome: Outcome, unfinished: memoryview = _NOTHING) -> Outcome:
        """Send the last measurement and close: frame, the client's frame, then TCP, the server first (section 7.1.1).

        `unfinished` is what is left of a frame that has begun to go out. Returns `outcome`, or what the client made
        of it. The channel is still to be closed after a session's end.
        """
        if self.client is Client.GONE:
            return Outcome.CONNECTION_LOST
        until_s = min(self.cut_off_s, self.now_s() + self._timing.closing_timeout_s)
        words = self.take_pending()
        if self.client is not Client.BROKEN:
            words += encode_frame(Opcode.TEXT, msgspec.json.encode(self._measure()))
        if not (self.channel.send_all(unfinished, until_s) and self.channel.send_all(words + self._farewell, until_s)):
            return Outcome.TIMED_OUT
        if self.client is Client.OPEN:
            return outcome if self._await_closing(until_s) else Outcome.CLOSING_UNANSWERED
        self.channel.finish_sending()
        if self.client is Client.BROKEN:
            self._discard(min(until_s, self.now_s() + self._timing.linger_s))
            return Outcome.PROTOCOL_ERROR
        return Outcome.CLIENT_CLOSED

    def _await_closing(self, until_s: float) -> bool:
        """Read on until the client closes in its turn; False where it did not."""
        try:
            while self.client is Client.OPEN:
                if self.now_s() >= until_s:
                    return False
                if self.receive() is None:
                    self.channel.wait_to_receive(until_s)
            self.channel.finish_sending()
        except ChannelError:
            pass  # all was said: a client that now breaks off TCP has closed in its own way
        return True

    def _discard(self, until_s: float) -> None:
        """Read what is still coming: closing TCP over it would reset the connection and lose our closing frame."""
        try:
            while self.now_s() < until_s:
                count = self.channel.receive_into(self._buffer)
                if count == 0:
                    return
                if count is None:
                    self.channel.wait_to_receive(until_s)
        except ChannelError:
            pass  # it is gone, which is what was waited for

    def _measure(self) -> Measurement:
        elapsed_s = self.now_s() - self._began_s
        return measure(self.channel.socket, self._facts, self._direction, elapsed_s, self.payload_bytes)

    def _break_off(self, code: CloseCode, detail: str) -> None:
        self.client = Client.BROKEN
        self._farewell = encode_close(code, detail)

    def _answer(self, frames: bytes) -> None:
        if len(self._pending) < _MAX_PENDING_BYTES:
            self._pending += frames

    def _until_tick_s(self) -> float:
        return min(max(self._chance.expovariate(1 / TICK_MEAN_S), TICK_MIN_S), TICK_MAX_S)
