"""WebSocket framing, the client's side of it (RFC 6455 section 5), without I/O.

Load is counted and never kept. Text and control frames are handed out whole. No extension is negotiated, so reserved
bits are violations, as is a masked frame from a server.
"""

from enum import IntEnum
from typing import Final

import msgspec

from mektep_agent.engines.ndt7.specification import LARGEST_RECEIVED_MESSAGE_BYTES, LARGEST_TEXT_BYTES

MASK_BYTES: Final = 4
MAX_HEAD_BYTES: Final = 2 + 8 + MASK_BYTES
NORMAL_CLOSURE: Final = 1000
_MAX_CONTROL_BYTES: Final = 125


class Opcode(IntEnum):
    """What a frame carries (section 5.2)."""

    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA


_BINARY: Final = Opcode.BINARY


class FrameError(Exception):
    """The server broke WebSocket's or NDT7's rules of framing; the message says which."""


class Message(msgspec.Struct, frozen=True):
    """A whole text message or control frame from the server."""

    opcode: Opcode
    payload: bytes


def encode_head(opcode: Opcode, length_bytes: int, mask: bytes) -> bytes:
    """Return the head of a client's frame that is a whole message; the payload must be masked with `mask`."""
    first = 0x80 | opcode
    if length_bytes <= _MAX_CONTROL_BYTES:
        return bytes((first, 0x80 | length_bytes)) + mask
    if length_bytes < 1 << 16:
        return bytes((first, 0x80 | 126)) + length_bytes.to_bytes(2, "big") + mask
    return bytes((first, 0x80 | 127)) + length_bytes.to_bytes(8, "big") + mask


def encode_frame(opcode: Opcode, payload: bytes, mask: bytes) -> bytes:
    """Return a client's frame with a short payload, masked. `mask` should come from a strong source (section 10.3)."""
    masked = bytes(byte ^ mask[index % MASK_BYTES] for index, byte in enumerate(payload))
    return encode_head(opcode, len(payload), mask) + masked


class FrameReader:
    """Reads a server's frames from whatever pieces the network delivers, in memory that does not grow.

    `data_bytes` counts payload of text and binary messages as it arrives, also of messages that are not complete yet;
    `binary_bytes` that of binary ones alone. `message_count` counts whole binary messages.
    """

    def __init__(self) -> None:
        self.data_bytes = 0
        self.binary_bytes = 0
        self.message_count = 0
        self._head = bytearray()
        self._kept = bytearray()
        self._control = bytearray()
        self._opcode: Opcode = Opcode.BINARY
        self._final = True
        self._message: Opcode | None = None
        self._message_bytes = 0
        self._left_bytes = 0

    def feed(self, data: memoryview) -> list[Message]:
        """Take in bytes and return the messages that they complete; raises FrameError at the first violation.

        What came before the violation in the same piece is lost with it.
        """
        found: list[Message] = []
        position, end = 0, len(data)
        while position < end:
            if self._left_bytes:
                taken = min(self._left_bytes, end - position)
                self._left_bytes -= taken
                if self._message is _BINARY and self._opcode < Opcode.CLOSE:
                    self.binary_bytes += taken
                    self.data_bytes += taken
                else:
                    self._keep(data[position : position + taken])
                position += taken
            else:
                wanted = self._missing_head_bytes()
                self._head += data[position : position + wanted]
                position += wanted
                if self._missing_head_bytes():
                    continue
                self._begin_frame()
            if not self._left_bytes:
                message = self._end_frame()
                if message is not None:
                    found.append(message)
        return found

    @property
    def load_left_bytes(self) -> int:
        """How many bytes are still to come of the frame of load that has begun; 0 outside of one."""
        is_load = self._message is _BINARY and self._opcode < Opcode.CLOSE
        return self._left_bytes if is_load else 0

    def skip_load(self, count: int) -> None:
        """Count `count` bytes, at most `load_left_bytes`, that came but were not looked at."""
        self.binary_bytes += count
        self.data_bytes += count
        self._left_bytes -= count
        if not self._left_bytes:
            self._end_frame()

    def _missing_head_bytes(self) -> int:
        have = len(self._head)
        if have < 2:
            return 2 - have
        return max(0, 2 + {126: 2, 127: 8}.get(self._head[1] & 0x7F, 0) - have)

    def _begin_frame(self) -> None:
        first, second = self._head[0], self._head[1]
        if first & 0x70:
            raise FrameError("reserved bits are set, but no extension was agreed")
        try:
            self._opcode = Opcode(first & 0x0F)
        except ValueError:
            raise FrameError(f"opcode {first & 0x0F} is not known") from None
        if second & 0x80:
            raise FrameError("a frame from the server is masked")
        self._final = bool(first & 0x80)
        self._left_bytes = self._length(second)
        self._head.clear()
        if self._opcode >= Opcode.CLOSE:
            if not self._final or self._left_bytes > _MAX_CONTROL_BYTES:
                raise FrameError("a control frame comes in pieces or has more than 125 bytes")
        else:
            self._begin_data()

    def _length(self, short: int) -> int:
        if short < 126:
            return short
        length = int.from_bytes(self._head[2:], "big")
        if length < (126 if short == 126 else 1 << 16):
            raise FrameError("a length is not written in the shortest form")
        return length

    def _begin_data(self) -> None:
        if self._opcode is Opcode.CONTINUATION:
            if self._message is None:
                raise FrameError("a continuation without a message to continue")
        elif self._message is not None:
            raise FrameError("a message begins before the last one ended")
        else:
            self._message = self._opcode
            self._message_bytes = 0
        self._message_bytes += self._left_bytes
        if self._message_bytes > LARGEST_RECEIVED_MESSAGE_BYTES:
            raise FrameError(f"a message has more than {LARGEST_RECEIVED_MESSAGE_BYTES} bytes")
        if self._message is Opcode.TEXT and self._message_bytes > LARGEST_TEXT_BYTES:
            raise FrameError(f"a text message has more than {LARGEST_TEXT_BYTES} bytes: load must be binary")

    def _keep(self, payload: memoryview) -> None:
        if self._opcode >= Opcode.CLOSE:
            self._control += payload
        else:
            self._kept += payload
            self.data_bytes += len(payload)

    def _end_frame(self) -> Message | None:
        if self._opcode >= Opcode.CLOSE:
            payload = bytes(self._control)
            self._control.clear()
            if self._opcode is Opcode.CLOSE and len(payload) == 1:
                raise FrameError("a closing frame has a payload of one byte")
            return Message(self._opcode, payload)
        if not self._final:
            return None
        kind, self._message = self._message, None
        if kind is Opcode.TEXT:
            payload = bytes(self._kept)
            self._kept.clear()
            return Message(kind, payload)
        self.message_count += 1
        return None
