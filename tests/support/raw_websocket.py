"""A WebSocket client by hand, so that a test can say exactly what goes over the wire, right or wrong."""

import base64
import hashlib
import json
import os
import socket
import ssl
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import msgspec

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
DOWNLOAD, UPLOAD = "/ndt/v7/download", "/ndt/v7/upload"
HEADERS = {
    "Host": "localhost",
    "Upgrade": "websocket",
    "Connection": "keep-alive, Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Protocol": "net.measurementlab.ndt.v7",
    "User-Agent": "tests/1",
}
_DEADLINE_S = 15.0


class Frame(msgspec.Struct, frozen=True):
    """One frame from the server."""

    opcode: int
    payload: bytes

    def json(self) -> dict[str, Any]:
        """Return the measurement that a text frame holds."""
        decoded: dict[str, Any] = json.loads(self.payload)
        return decoded

    @property
    def close_code(self) -> int:
        """The code of a closing frame."""
        return int.from_bytes(self.payload[:2], "big")


def request(path: str, method: str = "GET", **changed: str | None) -> bytes:
    """Return a request; `changed` headers (`Sec_WebSocket_Key=...`) replace the right ones, None leaves one out."""
    key = base64.b64encode(os.urandom(16)).decode()
    headers: dict[str, str | None] = {**HEADERS, "Sec-WebSocket-Key": key}
    headers.update({name.replace("_", "-"): value for name, value in changed.items()})
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items() if value is not None)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def frame(opcode: int, payload: bytes = b"", *, final: bool = True, masked: bool = True, reserved: int = 0) -> bytes:
    """Return a client's frame; the mask is zero, which the protocol allows and which costs nothing."""
    first = (0x80 if final else 0) | reserved | opcode
    mask_bit = 0x80 if masked else 0
    if len(payload) < 126:
        head = bytes((first, mask_bit | len(payload)))
    elif len(payload) < 1 << 16:
        head = bytes((first, mask_bit | 126)) + len(payload).to_bytes(2, "big")
    else:
        head = bytes((first, mask_bit | 127)) + len(payload).to_bytes(8, "big")
    return head + (bytes(4) if masked else b"") + payload


def close_frame(code: int = 1000) -> bytes:
    """Return a client's closing frame."""
    return frame(CLOSE, code.to_bytes(2, "big"))


class RawClient:
    """One connection to a server. Every wait ends after some seconds with TimeoutError."""

    def __init__(
        self, port: int, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None, receive_bytes: int | None = None
    ) -> None:
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.socket.settimeout(_DEADLINE_S)
        if receive_bytes is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        try:
            self.socket.connect((host, port))
            if tls is not None:
                self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        except OSError:
            self.socket.close()
            raise
        self._ahead = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self.socket.sendall(data)

    def open(self, path: str) -> None:
        """Ask for a test and check the answer as RFC 6455 and NDT7 want it."""
        asked = request(path)
        self.send(asked)
        status, headers, _ = self.answer()
        assert status == 101
        key = next(line for line in asked.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key: "))[19:]
        digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11", usedforsecurity=False).digest()
        assert headers["sec-websocket-accept"] == base64.b64encode(digest).decode()
        assert headers["sec-websocket-protocol"] == "net.measurementlab.ndt.v7"

    def answer(self) -> tuple[int, dict[str, str], str]:
        """Return status, headers and body of a response; the body of one that ends the connection."""
        while b"\r\n\r\n" not in self._ahead:
            self._read_more()
        head, _, self._ahead = self._ahead.partition(b"\r\n\r\n")
        first, *lines = head.decode("ascii").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = self._take(int(headers.get("content-length", "0"))).decode()
        return int(first.split(" ")[1]), headers, body

    def frames(self) -> Iterator[Frame]:
        """Yield the server's frames up to its closing one."""
        while True:
            first, second = self._take(2)
            assert second & 0x80 == 0, "a server does not mask"
            assert first & 0xF0 == 0x80, "whole messages, no extension"
            length = second & 0x7F
            if length >= 126:
                length = int.from_bytes(self._take(2 if length == 126 else 8), "big")
            one = Frame(first & 0x0F, self._take(length))
            yield one
            if one.opcode == CLOSE:
                return

    def end(self) -> str:
        """Return how the server ends TCP, `closed` or `reset`, reading away what is still to come."""
        try:
            while self.socket.recv(1 << 20):
                pass
        except ConnectionResetError:
            return "reset"
        return "closed"

    def _take(self, count: int) -> bytes:
        pieces = [self._ahead[:count]]
        have = len(pieces[0])
        self._ahead = self._ahead[count:]
        while have < count:
            self._read_more()
            pieces.append(self._ahead[: count - have])
            self._ahead = self._ahead[len(pieces[-1]) :]
            have += len(pieces[-1])
        return b"".join(pieces)

    def _read_more(self) -> None:
        data = self.socket.recv(1 << 20)
        if not data:
            raise EOFError("the server closed")
        self._ahead += data
