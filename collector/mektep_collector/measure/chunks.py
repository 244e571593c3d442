"""Counting a body that comes in chunks (RFC 9112 section 7.1), without keeping it; without I/O.

LibreSpeed's command-line client sends each upload as one body of chunks that never ends by itself.
"""

import re
from typing import Final

_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?\r?")
_LONGEST_LINE_BYTES: Final = 1_024


class ChunkError(ValueError):
    """What came is no chunk."""


class ChunkCounter:
    """Counts the payload of the chunks that it is fed."""

    def __init__(self) -> None:
        self.payload_bytes = 0
        self.is_done = False
        """Whether the last chunk has come. A trailer behind it is not waited for."""
        self._left_bytes = 0
        self._line = bytearray()
        self._ends_chunk = False

    def feed(self, data: memoryview) -> None:
        """Take in what came; raises ChunkError."""
        while data and not self.is_done:
            if self._left_bytes:
                taken = min(self._left_bytes, len(data))
                self._left_bytes -= taken
                self.payload_bytes += taken
                data = data[taken:]
                self._ends_chunk = not self._left_bytes
            else:
                data = self._feed_line(data)

    def _feed_line(self, data: memoryview) -> memoryview:
        piece = bytes(data[:_LONGEST_LINE_BYTES])
        end = piece.find(b"\n")
        self._line += piece if end < 0 else piece[:end]
        if len(self._line) > _LONGEST_LINE_BYTES:
            raise ChunkError("A chunk's first line is too long.")
        if end < 0:
            return data[len(piece) :]
        line = bytes(self._line)
        self._line.clear()
        if self._ends_chunk:
            self._ends_chunk = False
            if line.rstrip(b"\r"):
                raise ChunkError("A chunk is longer than it said.")
        else:
            found = _SIZE.fullmatch(line)
            if found is None:
                raise ChunkError("A chunk does not say its length.")
            self._left_bytes = int(found[1], 16)
            self.is_done = not self._left_bytes
        return data[end + 1 :]
