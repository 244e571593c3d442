"""A learning platform on this computer that serves pages over TLS, and misbehaves as it is told: real bytes, no sleep.

Each path is a script: what is done with a connection on which it was asked for.
"""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress

import msgspec

from tests.support.certificate import CertificateFiles

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
_HEAD_TIMEOUT_S = 10.0
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER that makes a close a reset."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One request as it came."""

    line: str
    headers: Mapping[str, str]


class ScriptedPlatform:
    """Where it listens and what it was asked."""

    def __init__(self, port: int, asked: list[Asked]) -> None:
        self.port = port
        self.asked = asked

    def url(self, path: str = "/", host: str = "localhost") -> str:
        """Return the address of one script."""
        return f"https://{host}:{self.port}{path}"


def answer(status: str, body: bytes = b"", *headers: str) -> Script:
    """Return a script that answers whole and at once."""
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""])

    async def play(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head.encode() + body)
        await writer.drain()

    return play


def say(data: bytes) -> Script:
    """Return a script that sends exactly these bytes and closes."""

    async def play(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return play


async def stay_silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Answer nothing for as long as the other side stays."""
    await reader.read()


async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reset the connection."""
    link: socket.socket = writer.get_extra_info("socket")
    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()


async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send a page without an end, as fast as it is taken."""
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x" * 4096)
        await writer.drain()


def trickle(every_s: float) -> Script:
    """Return a script that sends its page by single bytes."""

    async def play(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(every_s)

    return play


@asynccontextmanager
async def scripted_platform(
    scripts: Mapping[str, Script], certificate: CertificateFiles, host: str = "127.0.0.1"
) -> AsyncIterator[ScriptedPlatform]:
    """Serve until the block ends; a path without a script is a 404."""
    asked: list[Asked] = []
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.certificate, certificate.key)
    async with _serving(scripts, asked, host, context) as port:
        yield ScriptedPlatform(port, asked)


@asynccontextmanager
async def scripted_proxy(connect: Script) -> AsyncIterator[ScriptedPlatform]:
    """Serve as a proxy without TLS; `connect` is what it does when asked to connect."""
    asked: list[Asked] = []
    async with _serving({"CONNECT": connect}, asked, "127.0.0.1", None) as port:
        yield ScriptedPlatform(port, asked)


def tunnel_to(port: int) -> Script:
    """Return what a good proxy does: connect to this computer's `port`, whatever it is asked for, and pass bytes on."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_pass_on(reader, there_writer))
                tasks.create_task(_pass_on(there_reader, writer))
        finally:
            there_writer.close()

    return play


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(4096):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


@asynccontextmanager
async def _serving(
    scripts: Mapping[str, Script], asked: list[Asked], host: str, context: ssl.SSLContext | None
) -> AsyncIterator[int]:
    playing: set[asyncio.Task[None]] = set()

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(play(reader, writer))
        playing.add(task)
        task.add_done_callback(playing.discard)

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _converse(reader, writer, scripts, asked)
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError):
            pass
        finally:
            # The other side may be gone without a word: nothing is waited for.
            writer.transport.abort()

    server = await asyncio.start_server(serve, host, 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(playing):
            task.cancel()
        await asyncio.gather(*playing, return_exceptions=True)
        await asyncio.sleep(0)  # aborted transports close in the loop's next rounds
        await asyncio.sleep(0)


async def _converse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, scripts: Mapping[str, Script], asked: list[Asked]
) -> None:
    async with asyncio.timeout(_HEAD_TIMEOUT_S):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    asked.append(Asked(line=head[0], headers=dict(line.split(": ", 1) for line in head[1:] if line)))
    method, target, _ = head[0].split(" ")
    script = scripts.get(method) or scripts.get(target) or answer("404 Not Found")
    await script(reader, writer)
    if not writer.transport.is_closing():
        writer.close()
        await writer.wait_closed()
