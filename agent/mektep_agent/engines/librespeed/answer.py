"""A server's answer, without I/O (RFC 9112): what its head says, and how many bytes of its body have come."""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from mektep_agent.engines.engine import EngineError
from mektep_agent.engines.librespeed.target import Target
from mektep_wire import FailureKind

MAX_HEAD_BYTES: Final = 16_384
_SHOWN_LETTERS: Final = 80
_STATUS: Final = re.compile(r"HTTP/1\.[01] ([1-5][0-9]{2})(?: |$)")
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")
_LONGEST_LINE_BYTES: Final = 4_096
_UNENDING: Final = 1 << 62
_PAGE_TYPES: Final = {"text/html", "application/xhtml+xml"}


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What a head says; header names are in lower case."""

    status: int
    headers: Mapping[str, str]

    @property
    def stays(self) -> bool:
        """Whether the connection is good for a further request, as far as the head tells."""
        return "close" not in self.headers.get("connection", "").lower()


def looks_like_http(start: bytes) -> bool:
    """Say whether these first bytes may begin a response; anything else need not be waited for."""
    return start.startswith(b"HTTP/1.") if len(start) >= 7 else b"HTTP/1.".startswith(start)


def parse_head(head: bytes) -> Head:
    """Return what the head, up to its empty line, says; raises EngineError (PROTOCOL_ERROR)."""
    first, *lines = head.decode("latin-1").split("\r\n")
    found = _STATUS.match(first)
    if found is None:
        raise EngineError(FailureKind.PROTOCOL_ERROR, "the answer is not HTTP/1.1; is this a LibreSpeed server?")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Head(status=int(found[1]), headers=headers)


def check_head(head: Head, target: Target) -> None:
    """Return if the answer belongs to a test; else raises EngineError with the kind of who answered."""
    if head.headers.get("content-encoding", "identity").lower() != "identity":
        raise EngineError(FailureKind.PROTOCOL_ERROR, "the server compresses: its bytes are not the link's")
    said = f"HTTP {head.status}"
    if head.status == 200:
        kind = head.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind in _PAGE_TYPES and head.headers.get("content-length") != "0":
            detail = f"a web page came instead of a test from {target.authority}{target.folder} ({said})"
            raise EngineError(FailureKind.CAPTIVE_PORTAL, f"{detail}; log in, or correct the address")
        return
    if head.status == 407:
        raise EngineError(FailureKind.PROXY_ERROR, f"a proxy asks for credentials ({said})")
    if head.status == 511:
        raise EngineError(FailureKind.CAPTIVE_PORTAL, f"the network wants a login first ({said})")
    if 300 <= head.status < 400:
        where = shown(head.headers.get("location", ""))
        detail = f"the server leads elsewhere ({said}, {where}); correct the target"
        raise EngineError(FailureKind.HANDSHAKE_REFUSED, detail)
    if "retry-after" in head.headers:
        said += f"; come again after {shown(head.headers['retry-after'])} s"
    place = f"{target.authority}{target.folder}"
    raise EngineError(FailureKind.HANDSHAKE_REFUSED, f"the server refused the test at {place} ({said})")


class Body:
    """Counts a body's bytes as they come, in whichever framing; keeps none of them."""

    def __init__(self, head: Head) -> None:
        """Begin behind `head`; raises EngineError (PROTOCOL_ERROR) where its length cannot be understood."""
        self.payload_bytes = 0
        self._line = bytearray()
        self._is_chunked = head.headers.get("transfer-encoding", "").lower() == "chunked"
        told = head.headers.get("content-length")
        if not self._is_chunked and "transfer-encoding" in head.headers:
            raise EngineError(FailureKind.PROTOCOL_ERROR, "the server uses a transfer encoding that was not offered")
        if told is not None and not (told.isascii() and told.isdecimal() and len(told) <= 18):
            raise EngineError(FailureKind.PROTOCOL_ERROR, "the server's Content-Length is no number")
        self._left = 0 if self._is_chunked else _UNENDING if told is None else int(told)
        self._is_last = not self._is_chunked
        self._is_after_chunk = False

    @property
    def is_done(self) -> bool:
        """Whether all of it has come."""
        return self._is_last and not self._left

    @property
    def ends_with_connection(self) -> bool:
        """Whether only the connection's end ends it."""
        return self._is_last and self._left > _UNENDING // 2

    def feed(self, data: memoryview) -> None:
        """Take in what came; raises EngineError (PROTOCOL_ERROR) for what no framing allows."""
        while data:
            if self._left:
                taken = min(self._left, len(data))
                self._left -= taken
                self.payload_bytes += taken
                data = data[taken:]
            elif self._is_chunked and not self._is_last:
                data = self._feed_line(data)
            else:
                return  # a trailer, or bytes that nobody asked for

    def _feed_line(self, data: memoryview) -> memoryview:
        """Take in the part of a chunk's head that is there."""
        piece = bytes(data[: _LONGEST_LINE_BYTES - len(self._line) + 1])
        end = piece.find(b"\n")
        self._line += piece if end < 0 else piece[:end]
        if len(self._line) > _LONGEST_LINE_BYTES:
            raise EngineError(FailureKind.PROTOCOL_ERROR, "a chunk's head does not end")
        if end < 0:
            return data[len(piece) :]
        line = bytes(self._line).rstrip(b"\r")
        self._line.clear()
        if self._is_after_chunk and not line:
            self._is_after_chunk = False
        else:
            found = _CHUNK.fullmatch(line)
            if found is None or self._is_after_chunk:
                raise EngineError(FailureKind.PROTOCOL_ERROR, "a chunk's head is none")
            self._left = int(found[1], 16)
            self._is_last = self._left == 0
            self._is_after_chunk = True
        return data[end + 1 :]


def shown(text: str) -> str:
    """Return what a stranger wrote, cut and printable."""
    return "".join(sign if sign.isprintable() else "?" for sign in text[:_SHOWN_LETTERS]).strip()
