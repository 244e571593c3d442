"""A real NDT7 server on this machine that does what a script says, right or wrong.

Written apart from both the client and the collector's server, so that a test's truth is not our own word. A script
runs in a thread for each connection and speaks through a `Peer`; whatever it asserts, and any defect of it, is raised
where the server was opened.
"""

import base64
import hashlib
import json
import os
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import parse_qsl, urlsplit

import msgspec

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
SUBPROTOCOL = "net.measurementlab.ndt.v7"
DEADLINE_S = 20.0
_SUFFIX = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_PACING = getattr(socket, "SO_MAX_PACING_RATE", 47)


class Request(msgspec.Struct, frozen=True):
    """What the client asked for; header names in lower case."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


class Frame(msgspec.Struct, frozen=True):
    """One frame from the client, unmasked unless it is load, whose payload is left out."""

    opcode: int
    payload_bytes: int
    payload: bytes

    def json(self) -> dict[str, object]:
        """Return the measurement that a text frame holds."""
        decoded: dict[str, object] = json.loads(self.payload)
        return decoded


class ClientGoneError(Exception):
    """The client ended the connection."""


def frame(opcode: int, payload: bytes, *, final: bool = True, reserved: int = 0) -> bytes:
    """Return a server's frame."""
    first = (0x80 if final else 0) | reserved | opcode
    if len(payload) < 126:
        return bytes((first, len(payload))) + payload
    if len(payload) < 1 << 16:
        return bytes((first, 126)) + len(payload).to_bytes(2, "big") + payload
    return bytes((first, 127)) + len(payload).to_bytes(8, "big") + payload


class Peer:
    """One connection, from the server's side. Every wait ends after `DEADLINE_S` with TimeoutError."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.socket.settimeout(DEADLINE_S)
        self.request = Request("", {}, {})
        self.received_bytes = 0
        self.began_s = time.monotonic()
        self.filled_bytes = 0
        self._load = b""
        self._ahead = bytearray()
        self._key = b""

    def elapsed_s(self) -> float:
        """Return the time since `accept`."""
        return time.monotonic() - self.began_s

    def read_request(self) -> Request:
        """Read the client's request."""
        while b"\r\n\r\n" not in self._ahead:
            self._read_more()
        head, _, rest = bytes(self._ahead).partition(b"\r\n\r\n")
        self._ahead = bytearray(rest)
        first, *lines = head.decode("ascii").split("\r\n")
        url = urlsplit(first.split(" ")[1])
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        self.request = Request(url.path, dict(parse_qsl(url.query, strict_parsing=True)), headers)
        self._key = headers.get("sec-websocket-key", "").encode()
        return self.request

    def answer(self, status: str, body: bytes = b"", **headers: str) -> None:
        """Send a response of plain HTTP."""
        lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
        self.send("\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body)

    def accept(self, *, subprotocol: str | None = SUBPROTOCOL, ahead: bytes = b"", **headers: str) -> None:
        """Read the request and switch to WebSocket; `headers` replace the right ones, `ahead` goes out with it."""
        if not self._key:
            self.read_request()
        digest = base64.b64encode(hashlib.sha1(self._key + _SUFFIX, usedforsecurity=False).digest()).decode()
        right = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": digest}
        if subprotocol is not None:
            right["Sec-WebSocket-Protocol"] = subprotocol
        right.update({name.replace("_", "-"): value for name, value in headers.items()})
        lines = ["HTTP/1.1 101 Switching Protocols", *(f"{name}: {value}" for name, value in right.items())]
        self.began_s = time.monotonic()
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + ahead)

    def pace(self, rate_mbps: float) -> None:
        """Have the kernel send no faster than this, and keep little that waits for it."""
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, 1 << 17)
        self.socket.setsockopt(socket.SOL_SOCKET, _PACING, int(rate_mbps * 1e6 / 8))

    def send(self, data: bytes) -> None:
        """Send all of it; raises ClientGoneError."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError) as error:
            raise ClientGoneError(str(error)) from error

    def send_frame(self, opcode: int, payload: bytes = b"") -> None:
        """Send one whole frame."""
        self.send(frame(opcode, payload))

    def send_measurement(self, **parts: object) -> None:
        """Send a text message: `TCPInfo={...}`, `AppInfo={...}`, `BBRInfo={...}`."""
        facts = {"Client": "127.0.0.1:1", "Server": "127.0.0.1:2", "StartTime": "2026-11-23T00:00:00Z"}
        self.send_frame(TEXT, json.dumps({"ConnectionInfo": facts, "Origin": "server", **parts}).encode())

    def send_count(self, received_bytes: int | None = None, elapsed_s: float | None = None) -> None:
        """Send what an upload's server says: bytes received by when; the truth where nothing else is given."""
        count = self.received_bytes if received_bytes is None else received_bytes
        elapsed_us = int((self.elapsed_s() if elapsed_s is None else elapsed_s) * 1e6)
        self.send_measurement(TCPInfo={"ElapsedTime": elapsed_us, "BytesReceived": count, "MinRTT": 1500})

    def fill(self, duration_s: float, message_bytes: int | None = None) -> None:
        """Send load until `duration_s` after `accept`, in messages that grow as NDT7 says, or of one size."""
        while self.elapsed_s() < duration_s:
            size = message_bytes or min(1 << 20, max(1 << 13, (1 << (self.filled_bytes // 16).bit_length()) // 2))
            if len(self._load) < size:
                self._load = os.urandom(size)
            self.send(frame(BINARY, self._load[:size]))
            self.filled_bytes += size

    def receive(self) -> Frame:
        """Return the client's next frame; raises ClientGoneError at its end."""
        first, second = self._take(2)
        assert first & 0xF0 == 0x80, "whole messages, no extension"
        assert second & 0x80, "a client masks"
        length = second & 0x7F
        if length >= 126:
            length = int.from_bytes(self._take(2 if length == 126 else 8), "big")
        mask = self._take(4)
        opcode = first & 0x0F
        if opcode == BINARY:
            self._skip(length)
            return Frame(opcode, length, b"")
        payload = self._take(length)
        return Frame(opcode, length, bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload)))

    def frames(self, duration_s: float) -> Iterator[Frame]:
        """Yield the client's frames until `duration_s` after `accept`, or its closing frame."""
        while self.elapsed_s() < duration_s:
            one = self.receive()
            yield one
            if one.opcode == CLOSE:
                return

    def close(self, code: int = 1000, reason: bytes = b"") -> None:
        """Send a closing frame, read until the client's own, then end TCP."""
        self.send_frame(CLOSE, code.to_bytes(2, "big") + reason)
        while self.receive().opcode != CLOSE:
            pass
        self.end()

    def end(self) -> None:
        """End our side of TCP and wait for the client's; say what it still sends to nobody."""
        with suppress(OSError):  # the client may have left first
            socket.socket.shutdown(self.socket, socket.SHUT_WR)
        self.await_end()

    def reset(self) -> None:
        """Break the connection off: the client sees a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def await_end(self) -> None:
        """Read until the client ends the connection in whatever way."""
        with suppress(OSError):
            while self.socket.recv(1 << 16):
                pass

    def _take(self, count: int) -> bytes:
        while len(self._ahead) < count:
            self._read_more()
        taken = bytes(self._ahead[:count])
        del self._ahead[:count]
        return taken

    def _skip(self, count: int) -> None:
        have = min(count, len(self._ahead))
        del self._ahead[:have]
        buffer = memoryview(bytearray(1 << 18))
        while have < count:
            got = self._receive_into(buffer[: min(len(buffer), count - have)])
            have += got

    def _read_more(self) -> None:
        buffer = memoryview(bytearray(1 << 16))
        self._ahead += buffer[: self._receive_into(buffer)]

    def _receive_into(self, buffer: memoryview) -> int:
        try:
            count = self.socket.recv_into(buffer)
        except (ConnectionResetError, ssl.SSLError) as error:
            raise ClientGoneError(str(error)) from error
        if count == 0:
            raise ClientGoneError("end of stream")
        self.received_bytes += count
        return count


Script = Callable[[Peer], None]


@contextmanager
def scripted_server(
    script: Script, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> Generator[str, None, None]:
    """Serve by `script` while the block runs; yield the address. Raises what a script raised, but ClientGoneError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    failures: list[BaseException] = []
    threads: list[threading.Thread] = []
    peers: list[socket.socket] = []
    with socket.create_server((host, 0), family=family) as listener:

        def serve(connection: socket.socket) -> None:
            try:
                with connection:
                    secured = tls.wrap_socket(connection, server_side=True) if tls else connection
                    with secured:
                        script(Peer(secured))
            except (ClientGoneError, ssl.SSLError, ConnectionResetError, BrokenPipeError):
                pass  # how a client leaves is the client's business
            except BaseException as error:  # noqa: BLE001 (raised in the test's own thread)
                failures.append(error)

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                peers.append(connection)
                thread = threading.Thread(target=serve, args=(connection,), name="hostile-ndt7")
                threads.append(thread)
                thread.start()

        accepting = threading.Thread(target=accept, name="hostile-ndt7-accept")
        accepting.start()
        shown = f"[{host}]" if ":" in host else host
        try:
            yield f"{'wss' if tls else 'ws'}://{shown}:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join(DEADLINE_S)
            for thread in threads:
                thread.join(DEADLINE_S)
    assert not accepting.is_alive()
    assert not any(thread.is_alive() for thread in threads), "a script did not end"
    if failures:
        raise failures[0]


def serve_properly(duration_s: float, rate_mbps: float | None = None, tick_s: float = 0.25) -> Script:
    """Return the script of a good server for both directions."""

    def script(peer: Peer) -> None:
        peer.accept()
        if rate_mbps is not None:
            peer.pace(rate_mbps)
        if peer.request.path.endswith("/download"):
            _download(peer, duration_s, tick_s)
        else:
            others = receive_upload(peer, duration_s, tick_s)
            peer.send_count()
            if others and others[-1].opcode == CLOSE:
                peer.send_frame(CLOSE, others[-1].payload)
                peer.end()
            else:
                peer.close()

    return script


def _download(peer: Peer, duration_s: float, tick_s: float) -> None:
    tick = 0
    while peer.elapsed_s() < duration_s:
        peer.fill(min(duration_s, (tick + 1) * tick_s))
        tick += 1
        info = {"ElapsedTime": int(peer.elapsed_s() * 1e6), "MinRTT": 2500, "BytesSent": 1000, "BytesRetrans": 10}
        peer.send_measurement(TCPInfo=info)
        peer.send_frame(PING, tick.to_bytes(4, "big"))
    peer.close()


def receive_upload(peer: Peer, duration_s: float, tick_s: float = 0.1) -> list[Frame]:
    """Take load and say every `tick_s` how much has come; return the frames that were no load."""
    others: list[Frame] = []
    due_s = tick_s
    for one in peer.frames(duration_s):
        if one.opcode != BINARY:
            others.append(one)
        if peer.elapsed_s() >= due_s:
            due_s += tick_s
            peer.send_count()
            peer.send_frame(PING, b"are you there")
    return others
