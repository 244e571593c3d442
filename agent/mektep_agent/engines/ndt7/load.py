"""What an upload sends: one random message, masked once and sent again and again, growing as NDT7's scaling says.

Random bytes masked are random bytes, so a frame is a head with any mask and random bytes behind it: nothing is
masked, nothing is copied, and one buffer serves every size.
"""

from typing import Final

from mektep_agent.engines.ndt7.frame import MASK_BYTES, MAX_HEAD_BYTES, Opcode, encode_head
from mektep_agent.engines.ndt7.specification import (
    FIRST_MESSAGE_BYTES,
    LARGEST_SENT_MESSAGE_BYTES,
    SCALING_FRACTION,
)

LOAD_BYTES: Final = MAX_HEAD_BYTES + LARGEST_SENT_MESSAGE_BYTES


class Load:
    """The message that is sent now. `random_bytes` are `LOAD_BYTES` from a strong source."""

    def __init__(self, random_bytes: bytes) -> None:
        self.message_bytes = FIRST_MESSAGE_BYTES
        self._buffer = bytearray(random_bytes)
        self._mask = bytes(self._buffer[-MASK_BYTES:])
        self._frame = self._framed()

    def next_frame(self, sent_bytes: int) -> memoryview:
        """Return the frame to send after `sent_bytes` of payload in all: at most one size larger than the last.

        It is good until the next call.
        """
        is_small = self.message_bytes < LARGEST_SENT_MESSAGE_BYTES
        if is_small and sent_bytes and self.message_bytes <= sent_bytes / SCALING_FRACTION:
            self.message_bytes *= 2
            self._frame = self._framed()
        return self._frame

    def _framed(self) -> memoryview:
        head = encode_head(Opcode.BINARY, self.message_bytes, self._mask)
        begin = MAX_HEAD_BYTES - len(head)
        self._buffer[begin:MAX_HEAD_BYTES] = head
        return memoryview(self._buffer)[begin : MAX_HEAD_BYTES + self.message_bytes]
