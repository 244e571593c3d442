"""WebSocket framing, the server's side of it (RFC 6455 section 5), without I/O.

Load is counted, never unmasked and never kept: a measuring server has no use for its content, and its processor time
belongs to the link. Text from the client is counted likewise. Extensions are not negotiated, so reserved bits are
violations.
"""

from enum import IntEnum

import msgspec

MAX_CONTROL_PAYLOAD_BYTES = 125
_MASK_BYTES = 4


class Opcode(IntEnum):
    """What a frame carries (section 5.2)."""

    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA


class CloseCode(IntEnum):
    """Why an endpoint closes (section 7.4.1), as far as this server says so."""

    NORMAL = 1000
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    MESSAGE_TOO_BIG = 1009


class FrameError(Exception):
    """The client broke the protocol; `code` is what to close with."""

    def __init__(self, code: CloseCode, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Control(msgspec.Struct, frozen=True):
    """A control frame from the client, unmasked."""

    opcode: Opcode
    payload: bytes


def encode_frame(opcode: Opcode, payload: bytes) -> bytes:
    """Return one whole message as a server sends it: one frame, not masked."""
    length = len(payload)
    first = 0x80 | opcode
    if length <= MAX_CONTROL_PAYLOAD_BYTES:
        return bytes((first, length)) + payload
    if length < 1 << 16:
        return bytes((first, 126)) + length.to_bytes(2, "big") + payload
    return bytes((first, 127)) + length.to_bytes(8, "big") + payload


def encode_close(code: CloseCode, reason: str = "") -> bytes:
    """Return a closing frame; a reason too long for a control frame is cut."""
    return encode_frame(
        Opcode.CLOSE, code.to_bytes(2, "big") + reason.encode("ascii", "replace")[: MAX_CONTROL_PAYLOAD_BYTES - 2]
    )


class FrameReader:
    """Reads a client's frames from whatever pieces the network delivers, in memory that does not grow.

    `binary_bytes` and `text_bytes` count payload as it arrives, also of messages that are not complete yet.
    """

    def __init__(self, message_limit_bytes: int) -> None:
        self.binary_bytes = 0
        self.text_bytes = 0
        self._limit_bytes = message_limit_bytes
        self._head = bytearray()
        self._control = bytearray()
        self._mask = b""
        self._opcode = Opcode.BINARY
        self._final = True
        self._message: Opcode | None = None
        self._message_bytes = 0
        self._left_bytes = 0

    def feed(self, data: memoryview) -> list[Control]:
        """Take in bytes and return the control frames that they complete; raises FrameError at the first violation."""
        found: list[Control] = []
        position, end = 0, len(data)
        while position < end:
            if self._left_bytes:
                taken = min(self._left_bytes, end - position)
                self._take_payload(data[position : position + taken])
                position += taken
            else:
                wanted = self._missing_head_bytes()
                self._head += data[position : position + wanted]
                position += wanted
                if len(self._head) == 2:
                    self._check_start()
                if self._missing_head_bytes():
                    continue
                self._begin_frame()
            if not self._left_bytes:
                control = self._end_frame()
                if control is not None:
                    found.append(control)
        return found

    def _missing_head_bytes(self) -> int:
        have = len(self._head)
        if have < 2:
            return 2 - have
        return 2 + {126: 2, 127: 8}.get(self._head[1] & 0x7F, 0) + _MASK_BYTES - have

    def _check_start(self) -> None:
        first, second = self._head
        if first & 0x70:
            raise FrameError(CloseCode.PROTOCOL_ERROR, "reserved bits are set, but no extension was agreed")
        try:
            self._opcode = Opcode(first & 0x0F)
        except ValueError:
            raise FrameError(CloseCode.PROTOCOL_ERROR, f"opcode {first & 0x0F} is not known") from None
        if not second & 0x80:
            raise FrameError(CloseCode.PROTOCOL_ERROR, "a client's frames must be masked")
        self._final = bool(first & 0x80)

    def _begin_frame(self) -> None:
        self._left_bytes = self._length(self._head[1] & 0x7F)
        self._mask = bytes(self._head[-_MASK_BYTES:])
        self._head.clear()
        if self._opcode >= Opcode.CLOSE:
            self._begin_control()
        else:
            self._begin_data()

    def _length(self, short: int) -> int:
        if short < 126:
            return short
        length = int.from_bytes(self._head[2:-_MASK_BYTES], "big")
        if length < (126 if short == 126 else 1 << 16):
            raise FrameError(CloseCode.PROTOCOL_ERROR, "the length is not written in the shortest form")
        return length

    def _begin_control(self) -> None:
        if not self._final or self._left_bytes > MAX_CONTROL_PAYLOAD_BYTES:
            raise FrameError(CloseCode.PROTOCOL_ERROR, "a control frame is in one piece and has at most 125 bytes")

    def _begin_data(self) -> None:
        if self._opcode is Opcode.CONTINUATION:
            if self._message is None:
                raise FrameError(CloseCode.PROTOCOL_ERROR, "a continuation without a message to continue")
        elif self._message is not None:
            raise FrameError(CloseCode.PROTOCOL_ERROR, "a message begins before the last one ended")
        else:
            self._message = self._opcode
            self._message_bytes = 0
        self._message_bytes += self._left_bytes
        if self._message_bytes > self._limit_bytes:
            raise FrameError(CloseCode.MESSAGE_TOO_BIG, f"a message may have {self._limit_bytes} bytes")

    def _take_payload(self, payload: memoryview) -> None:
        self._left_bytes -= len(payload)
        if self._opcode >= Opcode.CLOSE:
            self._control += payload
        elif self._message is Opcode.TEXT:
            self.text_bytes += len(payload)
        else:
            self.binary_bytes += len(payload)

    def _end_frame(self) -> Control | None:
        if self._opcode >= Opcode.CLOSE:
            plain = _unmask(self._control, self._mask)
            self._control.clear()
            if self._opcode is Opcode.CLOSE and len(plain) == 1:
                raise FrameError(CloseCode.PROTOCOL_ERROR, "a closing frame has no payload, or at least 2 bytes")
            return Control(self._opcode, plain)
        if self._final:
            self._message = None
        return None


def _unmask(payload: bytearray, mask: bytes) -> bytes:
    length = len(payload)
    repeated = (mask * (length // _MASK_BYTES + 1))[:length]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(length, "big")
