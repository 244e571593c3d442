"""Bytes to and from one server, counted as they cross the line: plain, or TLS over it.

TLS is spoken here over buffers rather than by asyncio's own transport, so that its bytes are counted and the end of
the handshake is seen when it happens.
"""

import asyncio
import contextlib
import socket
import ssl
from typing import Protocol

_CHUNK_BYTES = 4_096


class Link(Protocol):
    """Sends and receives; raises OSError."""

    async def send(self, data: bytes) -> None:
        """Send all of `data`."""
        ...

    async def receive(self) -> bytes:
        """Return what came, b"" at the other side's end."""
        ...


class Meter:
    """What crossed the line over all connections of one run."""

    def __init__(self) -> None:
        self.bytes_sent = 0
        self.bytes_received = 0


class PlainLink:
    """Implements `Link` over a connected, non-blocking socket that the caller closes."""

    def __init__(self, connection: socket.socket, meter: Meter) -> None:
        self._connection = connection
        self._meter = meter

    async def send(self, data: bytes) -> None:
        """Send all of `data`."""
        await asyncio.get_running_loop().sock_sendall(self._connection, data)
        self._meter.bytes_sent += len(data)

    async def receive(self) -> bytes:
        """Return what came, b"" at the other side's end."""
        data = await asyncio.get_running_loop().sock_recv(self._connection, _CHUNK_BYTES)
        self._meter.bytes_received += len(data)
        return data


class TlsLink:
    """Implements `Link` by TLS over a plain one. `shake_hands` first."""

    def __init__(self, plain: PlainLink, context: ssl.SSLContext, host: str) -> None:
        self._plain = plain
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)

    async def shake_hands(self) -> None:
        """Bring up TLS; raises OSError, ssl.SSLError among them."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._exchange()
            except ssl.SSLError:
                with contextlib.suppress(OSError):  # the alert that says why; the reason itself is raised
                    await self._flush()
                raise
            else:
                await self._flush()
                return

    async def send(self, data: bytes) -> None:
        """Send all of `data`."""
        self._tls.write(data)
        await self._flush()

    async def receive(self) -> bytes:
        """Return what came, b"" at the other side's end, whether it said so or just went (as many servers do)."""
        while True:
            try:
                return self._tls.read(_CHUNK_BYTES)
            except ssl.SSLWantReadError:
                await self._exchange()
            except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
                return b""

    async def _exchange(self) -> None:
        await self._flush()
        data = await self._plain.receive()
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    async def _flush(self) -> None:
        waiting = self._outgoing.read()
        if waiting:
            await self._plain.send(waiting)
